import type {
  Filter,
  InstanceState,
  ListPart,
  Place,
  StepOutput,
  UnreadResult,
} from "../../backend/store.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { decodeControl } from "../../core/engine/control.ts";
import {
  activeStatuses,
  type EndedInstance,
  type HistoryEntry,
  type Instance,
  parentStep,
} from "../../core/engine/instance.ts";
import { FAILED } from "../../core/engine/progress.ts";
import { decode, type JsonObject } from "../../core/value/json.ts";
import { contains } from "../jsonb.ts";
import type { InstanceRecord, ResultRecord } from "../rows.ts";
import type { MemoryTables } from "../tables.ts";
import { resultsOf } from "./results.ts";

/** The results of these instances that no advance has read. */
export function unprocessed(tables: MemoryTables, ids: readonly string[]): readonly UnreadResult[] {
  const rows = ids.flatMap((id) => resultsOf(tables, id));
  return rows.filter((row) => !row.processed).map((row) => ({
    instance: row.instance,
    version: row.version,
    step: row.step,
    activation: row.activation,
    waits: row.waits,
    event: row.event,
    metadata: parse(row.metadata),
    output: parse(row.output),
    attempt: row.attempt,
    failure: row.event === FAILED ? parse(row.errors)?.at(-1) : undefined,
  }));
}

/** How steps ended, with what started them. */
export function ended(
  tables: MemoryTables,
  instance: string,
  steps: readonly Activation[] | undefined,
): readonly StepOutput[] {
  const wanted = steps && new Set(steps.map(activationKey));
  return resultsOf(tables, instance)
    .filter((row) => row.appliedRevision !== undefined && !row.waits)
    .filter((row) => wanted === undefined || wanted.has(activationKey(row)))
    .map((row) => ({
      step: row.step,
      activation: row.activation,
      event: row.event,
      output: parse(row.output),
      causes: [...row.causes ?? []],
    }));
}

/** How the activations of a step ended that have these numbers, in their order. */
export function endedBetween(
  tables: MemoryTables,
  instance: string,
  step: string,
  first: number,
  last: number,
): readonly StepOutput[] {
  return ended(tables, instance, undefined)
    .filter((row) => row.step === step && row.activation >= first && row.activation <= last)
    .sort((a, b) => a.activation - b.activation);
}

/** Instances that meet every condition, newest first. */
export function list(tables: MemoryTables, filter: Filter): readonly EndedInstance[] {
  const rows = newestFirst(tables, filter).slice(0, filter.limit);
  if (filter.withOutputs !== true) return rows.map(toInstance);
  return rows.map((row) => ({ ...toInstance(row), ...returnedBy(tables, row) }));
}

/** What a completed instance has returned. */
function returnedBy(
  tables: MemoryTables,
  { id, status, control }: InstanceRecord,
): Pick<EndedInstance, "outcome" | "output"> {
  const { returned } = decodeControl(control);
  if (status !== "completed" || returned === undefined) return {};
  const [result] = ended(tables, id, [returned]);
  return { outcome: returned.outcome, output: result?.output };
}

/** The same, paginated. */
export function page(tables: MemoryTables, filter: Filter, after: Place | undefined): ListPart {
  const all = newestFirst(tables, filter);
  const rows = after === undefined ? all : all.filter((row) => isBehind(row, after));
  const items = rows.slice(0, filter.limit);
  const last = rows.length > items.length ? items.at(-1) : undefined;
  return {
    items: items.map(toInstance),
    next: last && { insertedAt: String(1_000 * last.insertedAt), id: last.id },
  };
}

function newestFirst(tables: MemoryTables, filter: Filter): readonly InstanceRecord[] {
  return tables.instances.all()
    .filter((row) => meets(row, filter))
    .sort((a, b) => b.insertedAt - a.insertedAt || (a.id < b.id ? 1 : -1));
}

function isBehind(row: InstanceRecord, { insertedAt, id }: Place): boolean {
  const difference = 1_000 * row.insertedAt - Number(insertedAt);
  return difference < 0 || (difference === 0 && row.id < id);
}

function meets(row: InstanceRecord, filter: Filter): boolean {
  const { ids, key, workflow, version, statuses, tags, metadata, uniqueKey, parent } = filter;
  return (ids === undefined || ids.includes(row.id)) &&
    (parent === undefined || decodeControl(row.control).parent?.instance === parent) &&
    (key === undefined || row.key === key) &&
    (workflow === undefined || row.workflow === workflow) &&
    (version === undefined || row.version === version) &&
    (statuses === undefined || statuses.includes(row.status)) &&
    (tags === undefined || tags.every((tag) => row.tags.includes(tag))) &&
    (metadata === undefined || contains(JSON.parse(row.metadata), metadata)) &&
    (uniqueKey === undefined ||
      (row.uniqueKey === uniqueKey && activeStatuses.includes(row.status)));
}

/** How the steps ended, in the order in which the instance processed the results. */
export function history(tables: MemoryTables, instance: string): readonly HistoryEntry[] {
  const last = Number.POSITIVE_INFINITY;
  return [...resultsOf(tables, instance)]
    .sort((a, b) => (a.appliedRevision ?? last) < (b.appliedRevision ?? last) ? -1 : byBirth(a, b))
    .map(toEntry);
}

function byBirth(a: ResultRecord, b: ResultRecord): number {
  return a.appliedRevision === b.appliedRevision ? a.sequence - b.sequence : 1;
}

export function toState(row: InstanceRecord): InstanceState {
  return {
    id: row.id,
    workflow: row.workflow,
    version: row.version,
    graph: row.graph,
    key: row.key,
    revision: row.revision,
    status: row.status,
    control: decodeControl(row.control),
    metadata: decode(row.metadata) as JsonObject,
    tags: Object.freeze([...row.tags]),
    input: decode(row.input),
    insertedAt: new Date(row.insertedAt),
  };
}

function toInstance(row: InstanceRecord): Instance {
  const { control, graph: _, ...state } = toState(row);
  return {
    ...state,
    active: [...control.active.keys()],
    ...(control.parent && { parent: parentStep(control.parent) }),
    error: parse(row.error),
    updatedAt: new Date(row.updatedAt),
    finishedAt: toDate(row.finishedAt),
  };
}

function toEntry(row: ResultRecord): HistoryEntry {
  return {
    step: row.step,
    activation: row.activation,
    event: row.event,
    output: parse(row.output),
    metadata: parse(row.metadata),
    attempts: row.attempt,
    errors: parse(row.errors) ?? [],
    state: !row.processed ? "pending" : row.appliedRevision === undefined ? "ignored" : "applied",
    revision: row.appliedRevision,
    startedAt: toDate(row.startedAt),
    at: new Date(row.insertedAt),
    process: row.process,
  };
}

/** The value of a JSON text that was read back: its shape is what was written. */
// deno-lint-ignore no-explicit-any -- its shape is what was written
function parse(text: string | undefined): any {
  return text === undefined ? undefined : decode(text);
}

function toDate(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
