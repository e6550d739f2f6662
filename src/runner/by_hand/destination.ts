import { type Activation, activationKey } from "../../core/engine/activation.ts";
import type { Folded } from "../../core/engine/by_hand/fold.ts";
import { takeBack, type TakenBack } from "../../core/engine/by_hand/taken_back.ts";
import type { Control } from "../../core/engine/instance.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { JsonObject } from "../../core/value/json.ts";

/** An outcome that a person has given to a step. */
export interface EditedOutcome {
  readonly event: string;
  readonly output: unknown;
  readonly metadata: JsonObject | undefined;
  /** The same as JSON text. */
  readonly texts: { readonly output: string | undefined; readonly metadata: string | undefined };
}

/**
 * Why a person cannot go on with an instance that SQL has started, and whose input was not taken.
 */
export const neverBegun: string = "it has never begun. Start it again with what it can take";

/** Where a person goes back to. */
export interface Destination {
  readonly step: string;
  /** `undefined` means the one that counts last. */
  readonly activation: number | undefined;
  /** What the step is taken to have ended with; `undefined` means that it runs again. */
  readonly outcome: EditedOutcome | undefined;
}

/** An instance that has gone back to an activation. */
export interface WentBack {
  readonly at: Activation;
  readonly back: TakenBack;
}

/**
 * Goes back to the activation that is meant. Throws when that has not started, or is left behind.
 */
export function goBack(
  graph: Graph,
  before: Control,
  past: Folded,
  to: Destination,
  refuse: (why: string) => Error,
): WentBack {
  const at = placeIn(before, past, to, refuse);
  const back = takeBack(graph, before, past, at);
  if (back !== undefined) return { at, back };
  throw refuse(
    `"${
      activationKey(at)
    }" has been dropped since, or its loop has gone on without it. Go back to what started it`,
  );
}

function placeIn(
  before: Control,
  { applied, all }: Pick<Folded, "applied" | "all">,
  { step, activation }: Destination,
  refuse: (why: string) => Error,
): Activation {
  const active = before.active.get(step);
  const there = [
    ...applied.map(({ ending }) => ending).filter((ending) => ending.step === step),
    ...(active === undefined ? [] : [{ step, activation: active.activation }]),
  ];
  const found = there.findLast((one) => activation === undefined || one.activation === activation);
  if (found !== undefined) return { step, activation: found.activation };
  if (activation === undefined && !all.some(({ ending }) => ending.step === step)) {
    throw refuse(`step "${step}" has not started in it`);
  }
  const key = activation === undefined ? step : activationKey({ step, activation });
  const wasThere = all.some(({ ending }) =>
    ending.step === step && (activation ?? ending.activation) === ending.activation
  );
  throw refuse(
    wasThere
      ? `"${key}" does not count any more: it was taken back, or started again`
      : `"${key}" has not started in it`,
  );
}
