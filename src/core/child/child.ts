import { createStep, define, isObject, only, type Refuse } from "../define/options.ts";
import type { CanFail, FactsOf, Step, StepsOf } from "../define/step.ts";
import type { Need } from "../define/step_definition.ts";
import type { TimeContext, TimeOption } from "../define/times.ts";
import { WorkflowDefinitionError } from "../errors/errors.ts";
import type { OutcomeName } from "../graph/returns_types.ts";
import { checkWorkflow, type VersionedWorkflow } from "../graph/version.ts";
import type { Workflow } from "../graph/workflow.ts";
import { checkName } from "../value/identity.ts";
import type { RetryPolicy } from "../value/retry.ts";
import { type Input, type Type, type } from "../value/type.ts";
import { completedEvent } from "./ending.ts";

/** The events of a child: what its workflow returns, or else `completed`. */
export type ChildEvents<Outputs> = [OutcomeName<Outputs>] extends [never]
  ? { readonly completed: Type<undefined> }
  : { readonly [K in OutcomeName<Outputs>]: Type<OutputAt<Outputs, K>> };

/**
 * The output of one outcome.
 *
 * @internal
 */
type OutputAt<Outputs, K> = Outputs extends unknown ? K extends keyof Outputs ? Outputs[K] : never
  : never;

/** The options of a child. */
export interface ChildOptions<N extends readonly Need[], In, Given> {
  /** The input that the workflow of the step must have. Omit it when no function reads it. */
  readonly input?: Input<In>;
  /** Results that must exist when the step starts. They determine the type of `steps`. */
  readonly needs?: N;
  /** Makes the input of the child. It must be pure and synchronous. */
  with(context: TimeContext<In, StepsOf<N>>): Given;
  /**
   * Makes the value of the child's business key. It must be pure and synchronous. Default: the id
   * of the instance, the step and its activation, which no other child has.
   */
  key?(context: TimeContext<In, StepsOf<N>>): string;
  /**
   * How long the step may take, from when it starts, or until when. When it has passed, the child
   * fails, and the step too, with the code `DEADLINE`. Default: none.
   */
  readonly deadline?: TimeOption<In, StepsOf<N>>;
  /**
   * Whether the child goes on when its step is withdrawn, instead of being cancelled. Default:
   * false.
   */
  readonly detached?: boolean;
  /** How many ancestors the child may have. Default: 16. */
  readonly depth?: number;
  /** How failed attempts to start the child are retried. Default: the policy of the workflow. */
  readonly retry?: RetryPolicy;
  /** The queue of the job that starts the child. Default: the engine's queue for steps. */
  readonly queue?: string;
  /** Priority of that job from 0, the most urgent, to 9. Default: 5. */
  readonly priority?: number;
}

const usualDepth = 16;
const own = ["with", "key", "detached", "depth"];
const shared = ["input", "needs", "deadline", "retry", "queue", "priority"];

/**
 * Defines a step that starts a workflow as its child and ends with what that workflow returns. A
 * child that fails, is cancelled or is undone has `failed`.
 *
 * @throws {WorkflowDefinitionError} When a name or an option is invalid.
 *
 * @example Refund by a workflow of its own
 * ```ts
 * import { child, done, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const pay = step("pay", {
 *   input: type<{ cents: number }>(),
 *   events: { paid: type<string>() },
 *   run: ({ input, emit }) => emit.paid(`${input.cents} cents`),
 * });
 * const refunds = workflow("refund", { key: "id", input: type<{ cents: number }>(), start: pay })
 *   .on(pay, { paid: done })
 *   .returns({ refunded: pay.when("paid") })
 *   .build();
 *
 * const refund = child("refund", refunds, {
 *   input: type<{ price: number }>(),
 *   with: ({ input }) => ({ cents: input.price * 100 }),
 * });
 * assertEquals(Object.keys(refund.events), ["refunded"]);
 * ```
 */
export function child<
  const Name extends string,
  WIn,
  D,
  Given,
  Outputs,
  const N extends readonly Need[] = [],
  In = unknown,
>(
  name: Name,
  workflow:
    | Workflow<string, WIn, D, Given, Outputs>
    | VersionedWorkflow<string, WIn, D, Given, Outputs>,
  options: ChildOptions<N, In, NoInfer<Given>>,
): Step<Name, ChildEvents<Outputs>, FactsOf<N>, In, never, CanFail>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function child(name: unknown, workflow: unknown, options: any): any {
  checkName("child", name);
  const refuse: Refuse = (why, cause) =>
    new WorkflowDefinitionError(`Cannot define child "${name}": ${why}`, { cause });
  checkWorkflow(`define child "${name}" with`, workflow);
  if (!isObject(options)) throw refuse("its options are not an object");
  only(options, [...own, ...shared], refuse);
  const { detached = false, depth = usualDepth, deadline, ...given } = options;
  if (typeof detached !== "boolean") throw refuse(`option "detached" is not true or false`);
  if (typeof depth !== "number" || !Number.isInteger(depth) || depth < 1) {
    throw refuse(`option "depth" is not a positive whole number`);
  }
  const input = code(options, "with", refuse);
  if (input === undefined) throw refuse(`option "with" is not a function`);
  const key = code(options, "key", refuse);
  const events = outcomesOf(workflow);
  const definition = define("step", name, {
    ...Object.fromEntries(Object.entries(given).filter(([option]) => !own.includes(option))),
    ...(deadline === undefined ? {} : { deadline }),
    events: Object.fromEntries(events.map((event) => [event, type()])),
    run: () => undefined,
  });
  return createStep(Object.freeze({
    ...definition,
    asynchronous: true,
    events: new Map(events.map((event) => [event, undefined])),
    run: undefined,
    child: Object.freeze({ target: workflow, input, key, detached, depth }),
  }));
}

function code(
  options: Readonly<Record<string, unknown>>,
  option: "with" | "key",
  refuse: Refuse,
): ((context: unknown) => unknown) | undefined {
  const value = options[option];
  if (value === undefined) return undefined;
  if (typeof value !== "function") throw refuse(`option "${option}" is not a function`);
  return (context) => Reflect.apply(value, options, [context]);
}

/** The outcomes of all versions of a workflow. */
function outcomesOf(workflow: Workflow | VersionedWorkflow): readonly string[] {
  const all = "graph" in workflow ? [workflow] : [...workflow.versions.values()];
  const outcomes = all.flatMap(({ graph }) => {
    const returned = [...graph.steps.values()].flatMap(({ returns }) => [...returns.values()]);
    return returned.length === 0 ? [completedEvent] : returned;
  });
  return [...new Set(outcomes)];
}
