import type { Delivery } from "../define/emit.ts";
import type { StepDefinition } from "../define/step_definition.ts";
import type { UndoOn } from "../engine/instance.ts";
import { eachOf, isItem } from "../each/items.ts";
import { isUndo, undoneStep } from "../engine/activation.ts";
import type { StepTime } from "../define/times.ts";
import type { Scope } from "../value/identity.ts";
import type { JsonObject } from "../value/json.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Mistake, Type } from "../value/type.ts";
import type { Graph } from "./graph.ts";

/**
 * A workflow that was checked and can run.
 *
 * @example Draw a workflow
 * ```ts
 * import { done, step, type, type Workflow, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const mail: Workflow = workflow("mail", { key: "id", input: type(), start: send })
 *   .on(send, { sent: done })
 *   .build();
 * assertEquals(mail.toMermaid().split("\n")[0], "flowchart TD");
 * ```
 */
export interface Workflow<
  Name extends string = string,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every one
  In = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every one
  Deliveries = any,
  Given = In,
  Outputs = unknown,
> {
  /** The name. */
  readonly name: Name;
  /** The name of the business key, for instance `"orderid"`. */
  readonly key: string;
  /** Where a business key must be unique among active instances. */
  readonly scope: Scope;
  /** The version number, from 1. */
  readonly version: number;
  /** Tags added to every instance. */
  readonly tags: readonly string[];
  /** Metadata added to every instance. */
  readonly metadata: JsonObject;
  /** The retry policy for steps that do not set their own. */
  readonly retry: RetryPolicy | undefined;
  /** Before which ends an instance undoes what its steps have done. */
  readonly undoOn: ReadonlySet<UndoOn>;
  /** When an instance that has not ended fails. */
  readonly deadline: StepTime | undefined;
  /** The type of the input. */
  readonly input: Type<In, Given>;
  /** The steps and where their events lead, as data. */
  readonly graph: Graph;
  /**
   * Identifies this graph of this version. Each instance stores the fingerprint that it started
   * with.
   */
  readonly fingerprint: string;
  /** The steps by name, in row order. */
  readonly steps: ReadonlyMap<string, StepDefinition>;
  /** Exists only in the types. */
  readonly "~deliveries"?: Deliveries;
  /** Exists only in the types: what it returns, by the name of the outcome. */
  readonly "~returns"?: Outputs;
  /** Returns the graph as a Mermaid flowchart. */
  toMermaid(): string;
}

/** A step of a workflow, the undo of one, or its items, by their name in jobs and results. */
export function stepIn(
  { steps }: Pick<Workflow, "steps">,
  name: string,
): StepDefinition | undefined {
  if (isItem(name)) return steps.get(eachOf(name))?.item;
  return isUndo(name) ? steps.get(undoneStep(name))?.undo : steps.get(name);
}

/**
 * The input of a workflow.
 *
 * @example Name the input of a workflow
 * ```ts
 * import { done, type InputOf, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const mail = workflow("mail", { key: "id", input: type<{ to: string }>(), start: send })
 *   .on(send, { sent: done })
 *   .build();
 * const letter: InputOf<typeof mail> = { to: "maria" };
 * assertEquals(letter.to, "maria");
 * ```
 */
export type InputOf<W> = W extends { readonly input: Type<unknown, infer Given> } ? Given : never;

/**
 * The deliveries that a workflow accepts: the events of its signals and asynchronous steps.
 *
 * @example Name the deliveries of a workflow
 * ```ts
 * import { type DeliveryOf, done, signal, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const call = signal("call", { events: { answered: type<{ by: string }>() } });
 * const phone = workflow("phone", { key: "id", input: type(), start: call })
 *   .on(call, { answered: done })
 *   .build();
 * const delivery: DeliveryOf<typeof phone> = call.emit.answered({ by: "maria" });
 * assertEquals(delivery.output.by, "maria");
 * ```
 */
export type DeliveryOf<W> = W extends { readonly "~deliveries"?: infer D } ? Exclude<D, undefined>
  : never;

/**
 * A delivery that a workflow accepts, or an explanation of why it does not.
 *
 * @internal
 */
export type Addressed<W extends { readonly name: string }, D extends Delivery> = [D] extends
  [DeliveryOf<W>] ? D : Mistake<Misdirected<W["name"], DeliveryOf<W>, D>>;

type Misdirected<Name extends string, Taken, D extends Delivery> =
  [Extract<Taken, { readonly step: D["step"] }>] extends [never]
    ? `workflow '${Name}' has no signal '${D["step"]}'`
    : [Extract<Taken, { readonly step: D["step"]; readonly event: D["event"] }>] extends [never]
      ? `signal '${D["step"]}' of workflow '${Name}' has no event '${D["event"]}'`
    : `workflow '${Name}' expects another output of event '${D["step"]}.${D["event"]}'`;
