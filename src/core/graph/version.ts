import { isObject } from "../define/options.ts";
import { UnknownWorkflowError, WorkflowDefinitionError } from "../errors/errors.ts";
import { checkName } from "../value/identity.ts";
import type { JsonObject } from "../value/json.ts";
import { isPromise, settled } from "../value/promise.ts";
import type { Type } from "../value/type.ts";
import { callUserCode } from "../value/user_code.ts";
import { fingerprint } from "./fingerprint.ts";
import type { ReturnsOf } from "./returns_types.ts";
import type { DeliveryOf, InputOf, Workflow } from "./workflow.ts";

/** The arguments of `pick` when an instance is started. */
export interface PickOptions {
  /** The value of the business key. */
  readonly key?: string;
  /** The input of the instance. */
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
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every one
  In = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every one
  Deliveries = any,
  Given = In,
  Outputs = unknown,
> {
  /** The name that all versions share. */
  readonly name: Name;
  /** The versions by number. */
  readonly versions: ReadonlyMap<number, Workflow<Name, In, Deliveries, Given>>;
  /** The version for new instances when neither the caller nor `pick` chooses one. */
  readonly current: number;
  /** Chooses a version for a new instance; `undefined` means `current`. */
  readonly pick: ((options: PickOptions) => number | undefined) | undefined;
  /** Exists only in the types. */
  readonly "~deliveries"?: Deliveries;
  /** Exists only in the types: what its versions return, by the name of the outcome. */
  readonly "~returns"?: Outputs;
}

/**
 * The stored inputs of all versions: an instance has the input of its own version.
 *
 * @internal
 */
type StoredOf<W> = W extends { readonly input: Type<infer In, unknown> } ? In : never;

/**
 * Turns a union of inputs into one that every version accepts.
 *
 * @internal
 */
type EveryInput<W> = (W extends unknown ? (input: InputOf<W>) => void : never) extends
  (input: infer In) => void ? In : never;

/**
 * Combines several versions of a workflow under one name. Each workflow gets its key as its version
 * number.
 *
 * A start uses the version that the caller requests, or else the one that `pick` returns, or else
 * `current`. The instance stays on that version.
 *
 * @throws {WorkflowDefinitionError} When the versions differ in name, key or scope, or `current` is
 * not one of them.
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
): VersionedWorkflow<
  Name,
  StoredOf<V[keyof V]>,
  DeliveryOf<V[keyof V]>,
  EveryInput<V[keyof V]>,
  ReturnsOf<V[keyof V]>
> {
  checkName("workflow", name);
  const refuse = (why: string): WorkflowDefinitionError =>
    new WorkflowDefinitionError(`Cannot define versions of workflow "${name}": ${why}`);
  if (!isObject(options)) throw refuse("its options are not an object");
  if (!isObject(options.versions)) throw refuse(`option "versions" is not an object`);
  const versions = new Map<number, Workflow<Name>>();
  for (const [key, member] of Object.entries<Workflow<Name>>(options.versions)) {
    if (!/^[1-9]\d{0,8}$/.test(key)) {
      throw refuse(`version "${key}" is not a positive whole number`);
    }
    if (!isObject(member) || !isObject(member.graph)) throw refuse(`${key} is not a workflow`);
    if (member.name !== name) throw refuse(`version ${key} is workflow "${member.name}"`);
    const version = Number(key);
    const identity = { version, fingerprint: fingerprint(name, version, member.graph) };
    const workflow = Object.freeze({ ...member, ...identity });
    const [first = workflow] = versions.values();
    sameKey(first, workflow);
    versions.set(version, workflow);
  }
  const { current, pick } = options;
  if (!versions.has(current)) throw refuse(`current version ${current} is not one of its versions`);
  if (pick !== undefined && typeof pick !== "function") {
    throw refuse(`option "pick" is not a function`);
  }
  return Object.freeze({ name, versions, current, pick });
}

/**
 * Rejects versions with different keys. Otherwise the version would decide which instance a key
 * names and whether it is active.
 */
export function sameKey(one: Workflow, other: Workflow): void {
  for (const member of ["key", "scope"] as const) {
    if (one[member] === other[member]) continue;
    throw new WorkflowDefinitionError(
      `Cannot use version ${other.version} of workflow "${one.name}": its ${member} is "${
        other[member]
      }", but that of version ${one.version} is "${one[member]}". All versions must share it`,
    );
  }
}

/**
 * Resolves the version of a start: the requested one, or else the picked one, or else `current`.
 */
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
  // A promise is not a version number. Its rejection would be unhandled otherwise.
  if (isPromise(version)) settled(version).catch(() => {});
  return version;
}

/** Rejects a value that is not a workflow and says what it is. */
export function checkWorkflow(
  action: string,
  value: unknown,
  where = "the workflow",
): asserts value is Workflow | VersionedWorkflow {
  if (isObject(value) && (isObject(value["graph"]) || value["versions"] instanceof Map)) return;
  throw new TypeError(`Cannot ${action} ${where}: it is ${mistaken(value)}`);
}

/** Rejects a value that is not a list of workflows. */
export function checkWorkflows(
  value: unknown,
  action = "create an engine",
): asserts value is readonly (Workflow | VersionedWorkflow)[] {
  const refuse = (why: string) =>
    new TypeError(
      `Cannot ${action}: ${why}. Pass the workflows that this process has code for: workflows: [order]`,
    );
  if (value === undefined) throw refuse(`the option "workflows" is missing`);
  if (!Array.isArray(value)) throw refuse(`the option "workflows" is not an array`);
  value.forEach((one, at) => checkWorkflow("use", one, `workflows[${at}]`));
}

function mistaken(value: unknown): string {
  if (value === undefined || value === null) {
    return `${value}. Modules that import each other can cause this`;
  }
  if (!isObject(value)) return `a ${typeof value}`;
  if (typeof value["on"] === "function") return "not built yet: end it with .build()";
  if (isObject(value["definition"])) {
    return `the step "${value["definition"]["name"]}". Create a workflow with workflow(...)`;
  }
  return "not a workflow. Create one with workflow(...).build()";
}
