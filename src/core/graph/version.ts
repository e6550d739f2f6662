import { UnknownWorkflowError, WorkflowDefinitionError } from "../errors/errors.ts";
import { fingerprint } from "./fingerprint.ts";
import { checkName } from "../value/identity.ts";
import type { JsonObject } from "../value/json.ts";
import { isPromise, settled } from "../value/promise.ts";
import type { Type } from "../value/type.ts";
import { callUserCode } from "../value/user_code.ts";
import type { DeliveryOf, InputOf, Workflow } from "./workflow.ts";
import { isObject } from "../define/options.ts";

/** What `pick` may look at when an instance is started. */
export interface PickOptions {
  /** The value of the business key. */
  readonly key?: string;
  /** What the instance is started with. */
  readonly input?: unknown;
  /** The tags given at the start. */
  readonly tags?: readonly string[];
  /** The metadata given at the start. */
  readonly metadata?: JsonObject;
}

/**
 * Several versions of a workflow under one name.
 *
 * @example Read the versions
 * ```ts
 * import { done, step, type, versioned, workflow } from "@hephaestus/workflow";
 * import type { VersionedWorkflow } from "@hephaestus/workflow/types";
 * import { assertEquals } from "@std/assert";
 *
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const mail = workflow("mail", { key: "id", input: type(), start: send })
 *   .on(send, { sent: done })
 *   .build();
 * const all: VersionedWorkflow = versioned("mail", { versions: { 1: mail, 2: mail }, current: 2 });
 * assertEquals(all.versions.get(2)?.version, 2);
 * ```
 */
export interface VersionedWorkflow<
  Name extends string = string,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  In = any,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  Deliveries = any,
  Given = In,
> {
  /** The name that all versions share. */
  readonly name: Name;
  /** The versions by number. */
  readonly versions: ReadonlyMap<number, Workflow<Name, In, Deliveries, Given>>;
  /** The version that an instance starts with when nothing else is said. */
  readonly current: number;
  /** Chooses a version for a start, or leaves it to `current`. */
  readonly pick: ((options: PickOptions) => number | undefined) | undefined;
  /** Exists in the types only. */
  readonly "~deliveries"?: Deliveries;
}

/**
 * The inputs as they are stored: an instance has that of its version.
 *
 * @internal
 */
type StoredOf<W> = W extends { readonly input: Type<infer In, unknown> } ? In : never;

/**
 * Turns a union of inputs into one that every version takes.
 *
 * @internal
 */
type EveryInput<W> = (W extends unknown ? (input: InputOf<W>) => void : never) extends
  (input: infer In) => void ? In : never;

/**
 * Puts several versions of a workflow under one name. Each gets the number that it stands under.
 *
 * A start resolves to the version that it asks for, else to what `pick` returns, else to
 * `current`; the instance stays on it.
 *
 * @throws {WorkflowDefinitionError} When a version has another name, key or scope, or `current` is
 * none of them.
 *
 * @example Send new instances to version 2
 * ```ts
 * import { done, step, type, versioned, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const mail = workflow("mail", { key: "id", input: type(), start: send })
 *   .on(send, { sent: done })
 *   .build();
 * const all = versioned("mail", { versions: { 1: mail, 2: mail }, current: 2 });
 * assertEquals([...all.versions.keys()], [1, 2]);
 * ```
 */
export function versioned<
  const Name extends string,
  const V extends { readonly [version: number]: Workflow<Name> },
>(
  name: Name,
  options: {
    readonly versions: V;
    readonly current: keyof V & number;
    readonly pick?: (options: PickOptions) => (keyof V & number) | undefined;
  },
): VersionedWorkflow<Name, StoredOf<V[keyof V]>, DeliveryOf<V[keyof V]>, EveryInput<V[keyof V]>> {
  checkName("workflow", name);
  const refuse = (why: string): WorkflowDefinitionError =>
    new WorkflowDefinitionError(`Cannot define versions of workflow "${name}": ${why}`);
  if (!isObject(options)) throw refuse("its options are not an object");
  if (!isObject(options.versions)) throw refuse(`option "versions" is not an object`);
  const versions = new Map<number, Workflow<Name>>();
  for (const [key, member] of Object.entries<Workflow<Name>>(options.versions)) {
    if (!/^[1-9]\d{0,8}$/.test(key)) throw refuse(`version "${key}" is not a whole number from 1`);
    if (!isObject(member) || !isObject(member.graph)) throw refuse(`${key} is not a workflow`);
    if (member.name !== name) throw refuse(`version ${key} is workflow "${member.name}"`);
    const version = Number(key);
    const drawn = { version, fingerprint: fingerprint(name, version, member.graph) };
    const workflow = Object.freeze({ ...member, ...drawn });
    const [first = workflow] = versions.values();
    sameKey(first, workflow);
    versions.set(version, workflow);
  }
  const { current, pick } = options;
  if (!versions.has(current)) throw refuse(`current version ${current} is not among them`);
  if (pick !== undefined && typeof pick !== "function") {
    throw refuse(`option "pick" is not a function`);
  }
  return Object.freeze({ name, versions, current, pick });
}

/**
 * Refuses versions with different keys: a key would name other instances, or be taken, depending on
 * who asks.
 */
export function sameKey(one: Workflow, other: Workflow): void {
  for (const member of ["key", "scope"] as const) {
    if (one[member] === other[member]) continue;
    throw new WorkflowDefinitionError(
      `Cannot use version ${other.version} of workflow "${one.name}": its ${member} is "${
        other[member]
      }", ` +
        `that of version ${one.version} is "${one[member]}", and all versions share them`,
    );
  }
}

/** The workflow that a start means: the version asked for, else picked, else current. */
export function resolve(
  target: Workflow | VersionedWorkflow,
  asked: number | undefined,
  options: PickOptions,
): Workflow {
  const single = "graph" in target;
  const version = asked ??
    (single ? target.version : picked(target, options) ?? target.current);
  const found = single
    ? version === target.version ? target : undefined
    : target.versions.get(version);
  if (found !== undefined) return found;
  const known = single ? [target.version] : [...target.versions.keys()];
  throw new UnknownWorkflowError({ workflow: target.name, version, known });
}

function picked({ pick }: VersionedWorkflow, options: PickOptions): number | undefined {
  const version = pick && callUserCode(pick, options);
  // It names no version, and nobody else will hear of it when it rejects.
  if (isPromise(version)) settled(version).catch(() => {});
  return version;
}

/** Refuses what is no workflow, with a sentence that says what it is. */
export function checkWorkflow(
  action: string,
  value: unknown,
  where = "the workflow",
): asserts value is Workflow | VersionedWorkflow {
  if (isObject(value) && (isObject(value["graph"]) || value["versions"] instanceof Map)) return;
  throw new TypeError(`Cannot ${action} ${where}: it is ${mistaken(value)}`);
}

/** Refuses a list of workflows that is none. */
export function checkWorkflows(
  value: unknown,
): asserts value is readonly (Workflow | VersionedWorkflow)[] {
  const refuse = (why: string) =>
    new TypeError(
      `Cannot make an engine: ${why}. Hand over the workflows whose code this process has: workflows: [order]`,
    );
  if (value === undefined) throw refuse(`the option "workflows" is missing`);
  if (!Array.isArray(value)) throw refuse(`the option "workflows" is no array`);
  value.forEach((one, at) => checkWorkflow("use", one, `workflows[${at}]`));
}

function mistaken(value: unknown): string {
  if (value === undefined || value === null) {
    return `${value}. Modules that import each other may cause that`;
  }
  if (!isObject(value)) return `a ${typeof value}`;
  if (typeof value["on"] === "function") return "not built yet: end it with .build()";
  if (isObject(value["definition"])) {
    return `the step "${value["definition"]["name"]}". A workflow is made with workflow(...)`;
  }
  return "no workflow. A workflow is made with workflow(...).build()";
}
