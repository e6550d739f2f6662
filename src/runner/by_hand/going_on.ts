import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { goOn } from "../../core/engine/engine.ts";
import type { Control, HistoryEntry } from "../../core/engine/instance.ts";
import type { Decide, PastEnding } from "../../core/engine/progress.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import type { OutputCache } from "../run/inputs.ts";
import type { LocalResult } from "../run/outcome.ts";
import type { Runtime } from "../runtime.ts";
import { deciderOf } from "../each/decide.ts";
import { timed, type TimedProgress } from "../turn/times.ts";
import { decidingIn, starting } from "./acting.ts";
import type { Destination } from "./destination.ts";

/** From where an instance goes on. */
export interface GoingOn {
  readonly input: unknown;
  readonly control: Control;
  readonly outputs: OutputCache;
  readonly started: readonly Activation[];
  /** What goes on waiting. */
  readonly waits: readonly Activation[];
  readonly to: Destination;
  readonly refuse: (why: string, options?: ErrorOptions) => Error;
  readonly history: readonly HistoryEntry[];
  /** All that was applied, for an outcome that ends the instance by undoing. */
  readonly past: () => readonly PastEnding[];
}

/**
 * Starts the steps that run again, and ends the one that was given an outcome. Throws where the
 * instance would fail at once.
 */
export function goingOn(
  runtime: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  { input, control, outputs, started, waits, to, refuse, history, past }: GoingOn,
): TimedProgress {
  const { graph } = workflow;
  const deciding = decidingIn(runtime, workflow, { input }, control, outputs, history);
  const given = started.filter(({ step }) => step === to.step).flatMap((at) => endingOf(at, to));
  const isChoice = graph.steps.get(to.step)?.kind === "choice";
  const decide = isChoice ? decidedBy(given, deciderOf(deciding)) : deciderOf(deciding);
  const next = goOn(graph, control, started, isChoice ? [] : given, decide, past);
  const progress = timed({ ...next, ...starting(graph, next, waits) }, deciding);
  if (progress.failed === undefined) return progress;
  const { step, thrown } = progress.failed;
  const what = graph.steps.get(step)?.kind ?? "step";
  const why = `${what} "${step}" would fail at once. ${failure(thrown).message}`;
  throw refuse(why, { cause: thrown });
}

function endingOf(at: Activation, { outcome }: Destination): readonly LocalResult[] {
  if (outcome === undefined) return [];
  const { event, output, metadata, texts } = outcome;
  const ran = { waits: false, attempt: 1, errors: undefined, duration: undefined };
  return [{ ...at, event, output, metadata, result: { ...at, event, ...texts, ...ran } }];
}

/** A choice that was given an outcome is not asked. */
function decidedBy(given: readonly LocalResult[], decide: Decide): Decide {
  const decided = new Map(given.map((one) => [activationKey(one), one]));
  return (choice, ...rest) => decided.get(activationKey(choice)) ?? decide(choice, ...rest);
}
