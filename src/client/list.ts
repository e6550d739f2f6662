import type { Place } from "../backend/store.ts";
import { eachOf, isItem } from "../core/each/items.ts";
import { DROPPED, isByHand, ITEMS } from "../core/engine/progress.ts";
import {
  type HistoryEntry,
  type Instance,
  type InstanceStatus,
  instanceStatuses,
} from "../core/engine/instance.ts";
import { checkWorkflow } from "../core/graph/version.ts";
import { encode, type JsonObject } from "../core/value/json.ts";
import { checkNames, type OptionNames } from "../core/value/option_names.ts";
import type { Client } from "./client.ts";
import { definitionOf } from "./deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget, keyOf, uuid } from "./find.ts";

/** Filters of a list. An instance must match all of them. */
export interface ListOptions {
  /** The instance's id. */
  readonly id?: string | undefined;
  /** The value of the business key. Requires a workflow. */
  readonly key?: string | undefined;
  /** One status or several. */
  readonly status?: InstanceStatus | readonly InstanceStatus[] | undefined;
  /** The version of the workflow. */
  readonly version?: number | undefined;
  /** Tags that the instance must all have. */
  readonly tags?: readonly string[] | undefined;
  /** Members that the instance's metadata must contain. */
  readonly metadata?: JsonObject | undefined;
  /** The id of the instance whose children are meant. */
  readonly parent?: string | undefined;
  /** The maximum number of instances, from 1 to 1,000. Default: 50. */
  readonly limit?: number | undefined;
  /** The `next` of the previous page. */
  readonly after?: string | undefined;
}

const listNames: OptionNames<ListOptions> = {
  after: true,
  id: true,
  key: true,
  limit: true,
  metadata: true,
  parent: true,
  status: true,
  tags: true,
  version: true,
};

/** A page of a list, newest first. */
export interface Page<T> {
  /** The items of the page, newest first. */
  readonly items: readonly T[];
  /** Pass it as `after` to get the next page; `undefined` on the last page. */
  readonly next: string | undefined;
}

/** Lists the instances of a workflow, newest first. */
export async function listOf(
  client: Client,
  workflow: AnyWorkflow,
  options?: ListOptions,
): Promise<Page<Instance>> {
  checkWorkflow("list the instances of", workflow);
  return await list(client, workflow, options);
}

/** Lists instances, newest first. */
export async function list(
  { runtime }: Client,
  workflow: AnyWorkflow | undefined,
  options: ListOptions = {},
): Promise<Page<Instance>> {
  checkNames("list instances", options, listNames);
  const { limit = 50, status, id, key, after, version, tags, metadata, parent } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw new RangeError(
      `Cannot list instances: limit ${String(limit)} is not a whole number from 1 to 1,000`,
    );
  }
  if (key !== undefined && workflow === undefined) {
    throw new TypeError("Cannot list instances by key: pass the workflow too");
  }
  const statuses = status === undefined ? undefined : [status].flat();
  const unknown = statuses?.find((one) => !instanceStatuses.includes(one));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot list instances: "${String(unknown)}" is not a status. Statuses are ${
        instanceStatuses.join(", ")
      }`,
    );
  }
  if (
    tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === "string"))
  ) {
    throw new TypeError("Cannot list instances: tags are not an array of strings");
  }
  if (version !== undefined && !Number.isInteger(version)) {
    throw new TypeError("Cannot list instances: version is not a whole number");
  }
  const place = after === undefined ? undefined : placeOf(after);
  if ([id, parent].some((one) => one !== undefined && !uuid.test(one))) {
    return { items: [], next: undefined };
  }
  if (metadata !== undefined) encode(metadata, { what: "metadata of a list", limit: 100_000 });
  const { items, next } = await runtime.backend.store.page({
    workflow: workflow?.name,
    ids: id === undefined ? undefined : [id],
    key: workflow === undefined || key === undefined ? undefined : keyOf(workflow, key),
    statuses,
    version,
    tags,
    metadata,
    parent,
    limit,
  }, place);
  return { items, next: next && `${next.insertedAt}-${next.id}` };
}

/** Parses the `next` of a page. */
function placeOf(next: string): Place {
  const [, insertedAt, id] = /^(\d{1,16})-(.*)$/.exec(next) ?? [];
  if (insertedAt !== undefined && id !== undefined && uuid.test(id)) return { insertedAt, id };
  throw new TypeError("Cannot list instances: after is not the next of any page");
}

/**
 * Returns how the steps of an instance ended, in the order in which the results were applied.
 * Results of the same revision are in row order; what a person has done stands before them, items
 * stand before the end of their step, and what was dropped comes last.
 */
export async function history(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
): Promise<readonly HistoryEntry[]> {
  const { store } = client.runtime.backend;
  const instance = await findOrThrow(store, target, who, "read the history of");
  const { graph } = definitionOf(client.runtime, target, instance);
  const place = ({ revision = Infinity }: HistoryEntry) => revision;
  const isDropped = ({ event }: HistoryEntry) => event === DROPPED ? 1 : 0;
  const row = (entry: HistoryEntry) => {
    const step = isItem(entry.step) ? eachOf(entry.step) : entry.step;
    return graph.steps.get(step)?.index ?? (isByHand(entry) ? -1 : Infinity);
  };
  return [...await store.history(instance.id)].sort((a, b) =>
    difference(place(a), place(b)) || isDropped(a) - isDropped(b) ||
    difference(row(a), row(b)) || difference(placeInList(a), placeInList(b))
  );
}

/** Of a list: that it begins, its items, and that it has ended. */
function placeInList({ step, event, activation }: HistoryEntry): number {
  if (isItem(step)) return activation;
  return event === ITEMS ? -1 : Infinity;
}

function difference(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
