import { proveDescent } from "../child/ancestors.ts";
import { isStep, only, type Refuse, retry } from "../define/options.ts";
import type { Step } from "../define/step.ts";
import type { StepDefinition } from "../define/step_definition.ts";
import { type TimeContext, timeOption } from "../define/times.ts";
import type { UndoOn } from "../engine/instance.ts";
import { WorkflowDefinitionError } from "../errors/errors.ts";
import { checkName, type Scope, scopes } from "../value/identity.ts";
import { decode, encode, type JsonObject } from "../value/json.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Time } from "../value/time.ts";
import { type Input, isType } from "../value/type.ts";
import { assemble, row, type WorkflowRow } from "./assemble.ts";
import type { FirstRow, StartStep } from "./builder_types.ts";
import { fingerprint } from "./fingerprint.ts";
import { toMermaid } from "./mermaid.ts";
import { prove } from "./proof/soundness.ts";
import { type NamedEnding, returned } from "./returns.ts";
import type { Workflow } from "./workflow.ts";

/** The options of a workflow. */
export interface WorkflowOptions<In, S extends Step, Given = In> {
  /** The name of the business key, for instance `"orderid"`. */
  readonly key: string;
  /** The type of the input. */
  readonly input: Input<In, Given>;
  /** The step that runs first. */
  readonly start: S & StartStep<S>;
  /** Where a business key must be unique among active instances. Default: `"workflow"`. */
  readonly scope?: Scope;
  /** The version. Default: 1. */
  readonly version?: number;
  /** Tags added to every instance. */
  readonly tags?: readonly string[];
  /** Metadata added to every instance. */
  readonly metadata?: JsonObject;
  /** The retry policy for steps that do not set their own. */
  readonly retry?: RetryPolicy;
  /**
   * Whether an instance undoes what its steps have done before it fails or is cancelled. Default:
   * neither.
   */
  readonly undoOn?: readonly UndoOn[];
  /**
   * How long an instance may take, or until when. When it has passed, the instance fails with the
   * code `DEADLINE`: its steps that run are aborted, and its waits end. A function must be pure and
   * synchronous. Default: none.
   */
  readonly deadline?: Time | ((context: Pick<TimeContext<In>, "input">) => Time);
}

/**
 * Starts the definition of a workflow. Each row names a step and where its events lead, in
 * execution order: a step must be the target of an earlier row, and only {@linkcode again} leads
 * back to an earlier one.
 *
 * A workflow that cannot run does not compile, and `build()` repeats the checks for plain
 * JavaScript. Up to about 80 rows are cheap to compile.
 *
 * @throws {WorkflowDefinitionError} When a name, an option, a row or the workflow as a whole is
 * invalid.
 * @throws {InvalidValueError} When the metadata cannot be stored as JSON.
 *
 * @example Join two branches
 * ```ts
 * import { done, first, join, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const validate = step("validate", {
 *   input: type<{ total: number }>(),
 *   events: { valid: type(), invalid: type() },
 *   run: ({ input, emit }) => input.total > 0 ? emit.valid() : emit.invalid(),
 * });
 * const reserve = step("reserve", {
 *   events: { reserved: type<{ hold: string }>(), soldOut: type() },
 *   run: ({ emit }) => emit.reserved({ hold: "h-1" }),
 * });
 * const charge = step("charge", {
 *   events: { charged: type<{ receipt: string }>(), declined: type() },
 *   run: ({ emit }) => emit.charged({ receipt: "r-1" }),
 * });
 * const ship = step("ship", {
 *   needs: [reserve.when("reserved"), charge.when("charged")],
 *   events: { shipped: type<{ label: string }>() },
 *   run: ({ steps, emit }) => emit.shipped({ label: steps.reserve.hold + steps.charge.receipt }),
 * });
 * const reject = step("reject", {
 *   events: { rejected: type() },
 *   run: ({ emit }) => emit.rejected(),
 * });
 *
 * const order = workflow("order", {
 *   key: "orderid",
 *   input: type<{ total: number }>(),
 *   start: validate,
 * })
 *   .on(validate, { valid: [reserve, charge], invalid: first(reject) })
 *   .on(reserve, { reserved: join(ship), soldOut: first(reject) })
 *   .on(charge, { charged: join(ship), declined: first(reject) })
 *   .on(ship, { shipped: done })
 *   .on(reject, { rejected: done })
 *   .build();
 * assertEquals([...order.steps.keys()], ["validate", "reserve", "charge", "ship", "reject"]);
 * ```
 */
export function workflow<const Name extends string, In, S extends Step, Given = In>(
  name: Name,
  options: WorkflowOptions<In, S, Given>,
): FirstRow<Name, In, S, Given>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function workflow(name: string, options: any): any {
  checkName("workflow", name);
  return builder(head(name, options), undefined);
}

interface Head extends Omit<Workflow, "graph" | "fingerprint" | "steps" | "toMermaid"> {
  readonly start: StepDefinition;
  readonly refuse: Refuse;
}

const known = [
  ...["key", "input", "start", "scope", "version", "tags", "metadata", "retry"],
  ...["undoOn", "deadline"],
];

function head(name: string, options: Partial<WorkflowOptions<unknown, Step>>): Head {
  const refuse: Refuse = (why, cause) =>
    new WorkflowDefinitionError(`Cannot build workflow "${name}": ${why}`, { cause });
  if (typeof options !== "object" || options === null) {
    throw refuse("its options are not an object");
  }
  only(options, known, refuse);
  const { key, input, start, scope = "workflow", version = 1, tags = [], metadata = {} } = options;
  checkName("key", key);
  if (!isType(input)) throw refuse(`option "input" is not a type: use type() or a schema`);
  if (!isStep(start)) throw refuse(`option "start" is not a step`);
  if (!scopes.includes(scope)) throw refuse(`scope "${String(scope)}" is unknown`);
  if (!Number.isInteger(version) || version < 1 || version > 2 ** 31 - 1) {
    throw refuse(`version ${String(version)} is not a positive whole number`);
  }
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string" && tag !== "")) {
    throw refuse(`option "tags" is not an array of strings`);
  }
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw refuse(`option "metadata" is not an object`);
  }
  const text = encode(metadata, { what: `metadata of workflow "${name}"`, limit: 1_000_000 });
  return {
    ...{ name, key, scope, version, input, refuse },
    metadata: decode(text) as JsonObject,
    tags: Object.freeze([...tags]),
    retry: retry(options.retry, refuse),
    undoOn: undoEnds(options.undoOn, refuse),
    deadline: timeOption({ ...options }, "deadline", refuse),
    start: start.definition,
  };
}

function undoEnds(ends: unknown, refuse: Refuse): Workflow["undoOn"] {
  if (ends === undefined) return new Set();
  const isEnd = (end: unknown) => end === "failed" || end === "cancelled";
  if (!Array.isArray(ends) || !ends.every(isEnd)) {
    throw refuse(`option "undoOn" is not an array of "failed" and "cancelled"`);
  }
  return new Set(ends);
}

/**
 * The rows so far, as a linked list with the last row first. A builder never changes, so builders
 * can share a prefix.
 */
interface Chain {
  readonly row: WorkflowRow;
  readonly above: Chain | undefined;
}

function builder(head: Head, chain: Chain | undefined): object {
  return Object.freeze({
    on(step: unknown, moves: unknown): object {
      if (!isStep(step)) throw head.refuse("a row does not begin with a step");
      return builder(head, { row: row(step.definition, moves, head.refuse), above: chain });
    },
    returns(outcomes: unknown): object {
      const named = returned(outcomes, head.refuse);
      return Object.freeze({ build: () => build(head, rowsOf(chain), named) });
    },
    build: () => build(head, rowsOf(chain), []),
  });
}

function rowsOf(chain: Chain | undefined): readonly WorkflowRow[] {
  const rows: WorkflowRow[] = [];
  for (let link = chain; link !== undefined; link = link.above) rows.push(link.row);
  return rows.reverse();
}

function build(
  { start, refuse, ...rest }: Head,
  rows: readonly WorkflowRow[],
  named: readonly NamedEnding[],
): Workflow {
  const graph = assemble(start, rows, named, refuse);
  const steps = new Map(rows.map(({ step }) => [step.name, step]));
  proveDescent(rest.name, steps.values(), refuse);
  prove(graph, steps, refuse);
  return Object.freeze({
    ...rest,
    graph,
    fingerprint: fingerprint(rest.name, rest.version, graph),
    steps,
    toMermaid: () => toMermaid(graph),
  });
}
