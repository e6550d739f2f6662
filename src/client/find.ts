import type { CallerTransaction, Store } from "../backend/store.ts";
import { activeStatuses, type Instance } from "../core/engine/instance.ts";
import { AmbiguousKeyError, InstanceNotFoundError } from "../core/errors/errors.ts";
import { checkWorkflow, type VersionedWorkflow } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { bareKey as bare, businessKey } from "../core/value/identity.ts";

/** An instance by its business key, or by its id. */
export type InstanceTarget = string | { readonly id: string };

/** A workflow or all of its versions. */
// deno-lint-ignore no-explicit-any -- without type arguments it matches every one
export type AnyWorkflow<In = any, Deliveries = any, Given = any, Outputs = unknown> =
  | Workflow<string, In, Deliveries, Given, Outputs>
  | VersionedWorkflow<string, In, Deliveries, Given, Outputs>;

/** The business key of an instance. */
export function keyOf(workflow: AnyWorkflow, value: string): string {
  return businessKey(nameOfKey(workflow), value);
}

/** The value of a business key, given with or without its prefix. */
export function bareKey(workflow: AnyWorkflow, value: string): string {
  return bare(nameOfKey(workflow), value);
}

/** The name of the business key, which is the same in all versions. */
function nameOfKey(workflow: AnyWorkflow): string {
  checkWorkflow("use", workflow);
  const one = "versions" in workflow ? workflow.versions.get(workflow.current) : workflow;
  return one?.key ?? "";
}

/**
 * The format of an instance's id. Other text cannot identify an instance, and PostgreSQL would
 * reject it.
 */
export const uuid: RegExp = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds an instance. By key, it returns the active one, or else the newest. Text that cannot be a
 * key but looks like an id is used as an id. Throws `AmbiguousKeyError` when the key matches
 * several instances.
 */
export async function find(
  store: Pick<Store, "list">,
  workflow: AnyWorkflow,
  target: InstanceTarget,
  action: string,
  tx?: CallerTransaction,
): Promise<Instance | undefined> {
  checkWorkflow(action, workflow);
  if (typeof target !== "string") {
    if (typeof target?.id === "string") return await findById(store, workflow, target.id, tx);
    throw new TypeError(
      `Cannot ${action} an instance of "${workflow.name}": expected its key (a string) or { id }`,
    );
  }
  const of = { workflow: workflow.name, key: keyOf(workflow, target) };
  const active = await store.list({ ...of, statuses: activeStatuses, limit: 2 }, tx);
  const found = active.length > 0 ? active : await store.list({ ...of, limit: 2 }, tx);
  const unique = active.length === 0 && !isUnscoped(workflow);
  if (found.length > 1 && !unique) {
    throw new AmbiguousKeyError({ ...of, ids: found.map(({ id }) => id), action });
  }
  return found[0] ?? await findById(store, workflow, target, tx);
}

async function findById(
  store: Pick<Store, "list">,
  workflow: AnyWorkflow,
  id: string,
  tx: CallerTransaction | undefined,
): Promise<Instance | undefined> {
  if (!uuid.test(id)) return undefined;
  const [found] = await store.list({ ids: [id], workflow: workflow.name, limit: 1 }, tx);
  return found;
}

function isUnscoped(workflow: AnyWorkflow): boolean {
  const scopes = "versions" in workflow
    ? [...workflow.versions.values()].map(({ scope }) => scope)
    : [workflow.scope];
  return scopes.includes("none");
}

/** Like {@linkcode find}, but throws when the instance does not exist. */
export async function findOrThrow(
  store: Pick<Store, "list">,
  workflow: AnyWorkflow,
  target: InstanceTarget,
  action: string,
  tx?: CallerTransaction,
): Promise<Instance> {
  const found = await find(store, workflow, target, action, tx);
  if (found !== undefined) return found;
  const wanted = typeof target === "string" ? { key: keyOf(workflow, target) } : { id: target.id };
  throw new InstanceNotFoundError({ workflow: workflow.name, ...wanted, action });
}
