import { AmbiguousKeyError, InstanceNotFoundError } from "../core/errors.ts";
import { businessKey } from "../core/identity.ts";
import { activeStatuses, type Instance } from "../core/instance.ts";
import type { VersionedWorkflow } from "../core/version.ts";
import type { Workflow } from "../core/workflow.ts";
import type { CallerTransaction, Store } from "../store/store.ts";

/** An instance by its business key's value, or by its id. */
export type Target = string | { readonly id: string };

/** A workflow or all of its versions. */
// deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
export type AnyWorkflow<In = any, Deliveries = any, Given = any> =
  | Workflow<string, In, Deliveries, Given>
  | VersionedWorkflow<string, In, Deliveries, Given>;

/** What a business key is called in a workflow: the same in all of its versions that a caller can name. */
export function keyOf(workflow: AnyWorkflow, value: string): string {
  const one = "versions" in workflow ? workflow.versions.get(workflow.current) : workflow;
  return businessKey(one?.key ?? "", value);
}

/** An instance's id: what is none cannot name an instance, and PostgreSQL would refuse it. */
export const uuid: RegExp = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds an instance: by key the active one, else the newest. Throws `AmbiguousKeyError` when several could be meant.
 */
export async function find(
  store: Pick<Store, "list">,
  workflow: AnyWorkflow,
  target: Target,
  action: string,
  tx?: CallerTransaction,
): Promise<Instance | undefined> {
  if (typeof target !== "string") {
    if (!uuid.test(target?.id)) return undefined;
    const [found] = await store.list({ ids: [target.id], workflow: workflow.name, limit: 1 }, tx);
    return found;
  }
  const of = { workflow: workflow.name, key: keyOf(workflow, target) };
  const active = await store.list({ ...of, statuses: activeStatuses, limit: 2 }, tx);
  const found = active.length > 0 ? active : await store.list({ ...of, limit: 2 }, tx);
  const unique = active.length === 0 && !isUnscoped(workflow);
  if (found.length > 1 && !unique) {
    throw new AmbiguousKeyError({ ...of, ids: found.map(({ id }) => id), action });
  }
  return found[0];
}

function isUnscoped(workflow: AnyWorkflow): boolean {
  const scopes = "versions" in workflow
    ? [...workflow.versions.values()].map(({ scope }) => scope)
    : [workflow.scope];
  return scopes.includes("none");
}

/** The same, for callers that need one to be there. */
export async function findOrThrow(
  store: Pick<Store, "list">,
  workflow: AnyWorkflow,
  target: Target,
  action: string,
  tx?: CallerTransaction,
): Promise<Instance> {
  const found = await find(store, workflow, target, action, tx);
  if (found !== undefined) return found;
  const wanted = typeof target === "string"
    ? { key: keyOf(workflow, target) }
    : { id: String(target?.id) };
  throw new InstanceNotFoundError({ workflow: workflow.name, ...wanted, action });
}
