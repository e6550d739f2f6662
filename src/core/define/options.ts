import { itemsOf } from "../each/items.ts";
import { WorkflowDefinitionError } from "../errors/errors.ts";
import type { StepKind } from "../graph/graph.ts";
import { checkName, isPrintable } from "../value/identity.ts";
import { resolveRetry, type RetryPolicy } from "../value/retry.ts";
import { isType, type Type } from "../value/type.ts";
import { type DeliverOptions, type Delivery, emitted, metadata } from "./emit.ts";
import {
  anyEnd,
  anyEvent,
  canFail,
  everyOf,
  failedEvent,
  inEveryRound,
  type Need,
  type StepDefinition,
} from "./step_definition.ts";
import { clause, type StepTime, timeOption } from "./times.ts";

type Options = Readonly<Record<string, unknown>>;

const known: Readonly<Record<StepKind, readonly string[]>> = {
  step: [
    ...["input", "needs", "sees", "rounds", "events", "retry", "queue", "priority", "timeout"],
    ...["async", "expires", "deadline", "run", "undo", "undoRetry"],
  ],
  choice: ["input", "needs", "events", "decide"],
  signal: ["input", "needs", "events", "expires"],
  timer: ["input", "needs", "after"],
  each: [
    ...["input", "needs", "over", "limit", "onFailure", "events", "retry", "queue", "priority"],
    ...["timeout", "deadline", "run"],
  ],
};

/** Validates the options of a step at run time too, for callers in plain JavaScript. */
export function define(kind: StepKind, name: unknown, options: unknown): StepDefinition {
  checkName(kind, name);
  const refuse = refusal(kind, name);
  if (!isObject(options)) throw refuse("its options are not an object");
  only(options, known[kind], refuse);
  const asynchronous = options["async"] ?? false;
  if (typeof asynchronous !== "boolean") throw refuse(`option "async" is not true or false`);
  const expires = timeOption(options, "expires", refuse);
  if (expires !== undefined && !asynchronous && kind !== "signal") {
    throw refuse(`option "expires" is only for signals and asynchronous steps`);
  }
  const deadline = timeOption(options, "deadline", refuse);
  if (deadline !== undefined && asynchronous) {
    throw refuse(`option "deadline" is not for asynchronous steps: use option "expires"`);
  }
  return Object.freeze({
    name,
    kind,
    asynchronous,
    events: events(kind, asynchronous, options["events"], expires, refuse),
    needs: needs(options, "needs", refuse),
    sees: needs(options, "sees", refuse),
    input: typeOf(options, "input", refuse),
    takesRounds: typeOf(options, "rounds", refuse) !== undefined,
    retry: retry(options["retry"], refuse),
    queue: queue(options["queue"], refuse),
    priority: priority(options["priority"], refuse),
    timeout: timeOption(options, "timeout", refuse),
    after: kind === "timer" ? timeOption(options, "after", refuse) : undefined,
    expires,
    deadline,
    run: kind === "step" || kind === "each" ? code(options, "run", refuse) : undefined,
    undo: undefined,
    child: undefined,
    item: undefined,
    decide: kind === "choice" ? code(options, "decide", refuse) : undefined,
  });
}

/** Creates the public object of a definition. */
// deno-lint-ignore no-explicit-any -- the overloads of its callers define the type
export function createStep(definition: StepDefinition): any {
  const { name, kind, events } = definition;
  const waits = (definition.asynchronous && !definition.child) || kind === "signal";
  const known = (event: string): string => {
    if (events.has(event) || (event === failedEvent && canFail(definition))) return event;
    throw new WorkflowDefinitionError(
      `Cannot refer to "${name}.${event}": ${kind} "${name}" declares no event "${event}"`,
    );
  };
  return Object.freeze({
    name,
    events: Object.freeze(Object.fromEntries(events)),
    definition,
    when: (event: string): Omit<Need, "~output"> => Object.freeze({ name, event: known(event) }),
    every: (event: string): Omit<Need, "~output"> =>
      Object.freeze({ name, event: inEveryRound(known(event)) }),
    outcome: (): Omit<Need, "~output"> => Object.freeze({ name, event: anyEvent }),
    settled: (): Omit<Need, "~output"> => Object.freeze({ name, event: anyEnd }),
    as(other: unknown): unknown {
      checkName(kind, other);
      const undo = definition.undo && Object.freeze({ ...definition.undo, name: other });
      const item = definition.item &&
        Object.freeze({ ...definition.item, name: itemsOf(other) });
      return createStep(Object.freeze({ ...definition, name: other, undo, item }));
    },
    ...(waits ? { emit: deliver(definition) } : {}),
  });
}

/** Whether a value was created by `step`, `choice`, `signal`, `timer` or `each`. */
export function isStep(value: unknown): value is { readonly definition: StepDefinition } {
  return isObject(value) && isObject(value["definition"]) &&
    typeof value["definition"]["name"] === "string" && value["definition"]["events"] instanceof Map;
}

function deliver(definition: StepDefinition): object {
  const emit: Record<string, (output?: unknown, options?: DeliverOptions) => Delivery> = Object
    .create(
      null,
    );
  for (const event of emitted(definition)) {
    emit[event] = (output, options) => ({
      step: definition.name,
      event,
      output,
      ...metadata(options),
      ...(options?.activation === undefined ? {} : { activation: options.activation }),
    });
  }
  return Object.freeze(emit);
}

/** Creates the error that says why a definition is rejected. */
export type Refuse = (why: string, cause?: unknown) => WorkflowDefinitionError;

/** Refuses the definition of one step. */
export function refusal(kind: StepKind, name: string): Refuse {
  return (why, cause) =>
    new WorkflowDefinitionError(`Cannot define ${kind} "${name}": ${why}`, { cause });
}

/** Whether a value can have properties. */
export function isObject(value: unknown): value is Options {
  return typeof value === "object" && value !== null;
}

/** Rejects an unknown option, which is most likely a typo. */
export function only(options: object, names: readonly string[], refuse: Refuse): void {
  const unknown = Object.keys(options).find((option) => !names.includes(option));
  if (unknown !== undefined) throw refuse(`there is no option "${unknown}"`);
}

function events(
  kind: StepKind,
  asynchronous: boolean,
  declared: unknown,
  expires: StepTime | undefined,
  refuse: Refuse,
): ReadonlyMap<string, Type<unknown> | undefined> {
  const read = new Map<string, Type<unknown> | undefined>();
  if (kind === "timer") return read.set("elapsed", undefined);
  if (!isObject(declared)) throw refuse(`option "events" is not an object`);
  for (const [event, type] of Object.entries(declared)) {
    checkName("event", event);
    if (event === failedEvent) {
      throw refuse(`event "failed" is reserved: the engine emits it when a step fails for good`);
    }
    if (asynchronous && event === "later") {
      throw refuse(`event "later" is reserved for emit.later()`);
    }
    if ((asynchronous || kind === "signal") && event === "expired") {
      throw refuse(`event "expired" is declared by option "expires"`);
    }
    if (!isType(type)) throw refuse(`event "${event}" has no type: use type() or a schema`);
    read.set(event, type);
  }
  if (read.size === 0) throw refuse("it declares no events, so it could never end");
  return expires === undefined ? read : read.set("expired", undefined);
}

function needs(
  options: Options,
  option: "needs" | "sees",
  refuse: Refuse,
): StepDefinition["needs"] {
  const list = options[option] ?? [];
  if (!Array.isArray(list)) throw refuse(`option "${option}" is not an array`);
  const names = new Set<string>();
  return Object.freeze(list.map((need: unknown) => {
    if (!isObject(need) || typeof need["name"] !== "string" || typeof need["event"] !== "string") {
      throw refuse(
        `option "${option}" accepts only step.when("event"), step.outcome() and step.settled()`,
      );
    }
    if (option === "needs" && everyOf({ event: need["event"] }) !== undefined) {
      throw refuse(`option "needs" does not accept step.every("event"): use option "sees"`);
    }
    if (names.has(need["name"])) throw refuse(`option "${option}" lists "${need["name"]}" twice`);
    names.add(need["name"]);
    return Object.freeze({ name: need["name"], event: need["event"] });
  }));
}

function typeOf(
  options: Options,
  option: "input" | "rounds",
  refuse: Refuse,
): Type<unknown> | undefined {
  const type = options[option];
  if (type === undefined || isType(type)) return type;
  throw refuse(`option "${option}" is not a type: use type() or a schema`);
}

/** Validates a retry policy now, so that it cannot fail later. */
export function retry(
  policy: unknown,
  refuse: Refuse,
  option = "retry",
): RetryPolicy | undefined {
  if (policy === undefined) return undefined;
  if (!isObject(policy)) throw refuse(`option "${option}" is not an object`);
  only(policy, ["attempts", "backoff", "base", "max"], refuse);
  try {
    resolveRetry(policy);
  } catch (error) {
    throw refuse(clause(error), error);
  }
  return Object.freeze({ ...policy });
}

function queue(name: unknown, refuse: Refuse): string | undefined {
  if (name === undefined) return undefined;
  if (isPrintable(name)) return name;
  throw refuse(`option "queue" is not a string of 1 to 200 printable characters`);
}

function priority(value: unknown, refuse: Refuse): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 9) {
    return value;
  }
  throw refuse(`option "priority" is not a whole number from 0 (most urgent) to 9`);
}

/** Validates that an option is a function. */
export function code(
  options: Options,
  option: "run" | "decide" | "over",
  refuse: Refuse,
): (context: unknown) => unknown {
  const value = options[option];
  if (typeof value !== "function") throw refuse(`option "${option}" is not a function`);
  return (context) => Reflect.apply(value, options, [context]);
}
