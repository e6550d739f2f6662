import type { Filter, ListPart, Place } from "../../backend/store.ts";
import {
  type EndedInstance,
  type HistoryEntry,
  type Instance,
  type InstanceStatus,
  type ParentStep,
  parentStep,
} from "../../core/engine/instance.ts";
import { decode, type JsonObject } from "../../core/value/json.ts";
import type { Queryable } from "../driver/contract.ts";
import { texts } from "../sql/arrays.ts";
import { date, epoch, isActiveStatus } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";

function maybeDate(text: string | null): Date | undefined {
  return text === null ? undefined : date(text);
}

function json<T>(text: string | null): T | undefined {
  return text === null ? undefined : decode(text) as T;
}

interface StoredControl {
  readonly active?: object;
  readonly parent?: ParentStep;
}

interface InstanceRow {
  readonly place: string;
  readonly id: string;
  readonly key: string;
  readonly workflow: string;
  readonly workflow_version: string;
  readonly status: InstanceStatus;
  readonly revision: string;
  readonly control: string;
  readonly tags: string;
  readonly metadata: string;
  readonly error: string | null;
  readonly input: string | null;
  readonly inserted_at: string;
  readonly updated_at: string;
  readonly finished_at: string | null;
  readonly outcome?: string | null;
  readonly output?: string | null;
}

/** Instances that match the filter, newest first. */
export async function list(
  on: Queryable,
  t: Tables,
  filter: Filter,
): Promise<readonly EndedInstance[]> {
  return (await select(on, t, filter, undefined)).map((row) => {
    const { outcome, output } = row;
    if (outcome === undefined || outcome === null) return instanceOf(row);
    return { ...instanceOf(row), outcome, output: json(output ?? null) };
  });
}

/**
 * The same, paginated. The cursor uses the database's microseconds, because JavaScript times are
 * too coarse.
 */
export async function page(
  on: Queryable,
  t: Tables,
  filter: Filter,
  after: Place | undefined,
): Promise<ListPart> {
  const rows = await select(on, t, { ...filter, limit: filter.limit + 1 }, after);
  const items = rows.slice(0, filter.limit);
  const last = rows.length > items.length ? items.at(-1) : undefined;
  return {
    items: items.map(instanceOf),
    next: last && { insertedAt: last.place, id: last.id },
  };
}

function select(
  on: Queryable,
  t: Tables,
  filter: Filter,
  after: Place | undefined,
): Promise<readonly InstanceRow[]> {
  const parameters: string[] = [];
  const conditions: string[] = [];
  const where = (condition: (parameter: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}::text`));
  };
  where((p) => `id = any (${p}::uuid[])`, filter.ids && texts(filter.ids));
  where((p) => `parent_id = ${p}::uuid`, filter.parent);
  where((p) => `key = ${p}`, filter.key);
  where((p) => `workflow = ${p}`, filter.workflow);
  const ofWorkflow = filter.workflow === undefined ? undefined : conditions.at(-1);
  where((p) => `workflow_version = ${p}::int`, filter.version?.toString());
  where((p) => `status = any (${p}::text[])`, filter.statuses && texts(filter.statuses));
  where((p) => `tags @> ${p}::text[]`, filter.tags && texts(filter.tags));
  where((p) => `metadata @> ${p}::jsonb`, filter.metadata && JSON.stringify(filter.metadata));
  // Literals, because the planner could not choose the index from a parameter.
  where(
    (p) => `unique_key = ${p} and ${isActiveStatus("status")}`,
    filter.uniqueKey,
  );
  if (after !== undefined) {
    const time = parameters.push(after.insertedAt);
    const id = parameters.push(after.id);
    conditions.push(
      `(inserted_at, id) < (timestamptz 'epoch' + $${time}::text::bigint * interval '1 microsecond', $${id}::text::uuid)`,
    );
  }
  const limit = `$${parameters.push(String(filter.limit))}::text::int`;
  const condition = conditions.length === 0 ? "true" : conditions.join(" and ");
  const few = filter.ids ?? filter.parent ?? filter.key ?? filter.uniqueKey;
  return on.query<InstanceRow>(
    `select (extract(epoch from inserted_at) * 1000000)::bigint::text as place, id::text, key, workflow, workflow_version::text, status, revision::text, control::text,
       to_json(tags)::text as tags, metadata::text, error::text, input::text, ${
      epoch("inserted_at")
    } as inserted_at,
       ${epoch("updated_at")} as updated_at, ${epoch("finished_at")} as finished_at${
      filter.withOutputs === true ? outputs(t) : ""
    }
     from ${t.instances}
     where ${few === undefined ? newest(t, condition, limit, ofWorkflow) : condition}
     order by inserted_at desc, id desc
     limit ${limit}`,
    parameters,
  );
}

/** What completed instances have returned. Of the others, no result is looked up. */
function outputs(t: Tables): string {
  const of = t.instances;
  const returned = `case when ${of}.status = 'completed' then ${of}.control -> 'returned' end`;
  return `,
       ${returned} ->> 0 as outcome,
       (select context_updates::text from ${t.results}
        where instance_id = ${of}.id and step_ref = ${returned} ->> 1
          and activation = (${returned} ->> 2)::int and not waits) as output`;
}

/**
 * The newest instances of each workflow and status, using the only index on these columns. An index
 * of all instances by time would be written at every change of a status, which costs 3 % of a short
 * chain.
 */
function newest(t: Tables, condition: string, limit: string, ofWorkflow = "true"): string {
  return `id = any (array(
       with recursive kinds as (
         (select workflow, status from ${t.instances} where ${ofWorkflow} order by workflow, status limit 1)
         union all
         select next.workflow, next.status
         from kinds
         cross join lateral (
           select workflow, status
           from ${t.instances}
           where ${ofWorkflow} and (workflow, status) > (kinds.workflow, kinds.status)
           order by workflow, status
           limit 1) as next
       )
       select one.id
       from kinds
       cross join lateral (
         select id, inserted_at
         from ${t.instances} as instance
         where instance.workflow = kinds.workflow and instance.status = kinds.status and ${condition}
         order by inserted_at desc, id desc
         limit ${limit}) as one
       order by one.inserted_at desc, one.id desc
       limit ${limit}))`;
}

function instanceOf(row: InstanceRow): Instance {
  const { active = {}, parent } = json<StoredControl>(row.control) ?? {};
  return {
    id: row.id,
    key: row.key,
    workflow: row.workflow,
    version: Number(row.workflow_version),
    status: row.status,
    input: json(row.input),
    active: Object.keys(active),
    ...(parent && { parent: parentStep(parent) }),
    tags: decode(row.tags) as readonly string[],
    metadata: decode(row.metadata) as JsonObject,
    error: json(row.error),
    revision: Number(row.revision),
    insertedAt: date(row.inserted_at),
    updatedAt: date(row.updated_at),
    finishedAt: maybeDate(row.finished_at),
  };
}

interface ResultRow {
  readonly step_ref: string;
  readonly activation: string;
  readonly event: string;
  readonly context_updates: string | null;
  readonly metadata_updates: string | null;
  readonly attempt: string;
  readonly errors: string | null;
  readonly processed: string;
  readonly applied_revision: string | null;
  readonly process_id: string | null;
  readonly started_at: string | null;
  readonly inserted_at: string;
}

/** How the steps of an instance ended, in the order in which the results advanced the instance. */
export async function history(
  on: Queryable,
  t: Tables,
  instance: string,
): Promise<readonly HistoryEntry[]> {
  const rows = await on.query<ResultRow>(
    `select step_ref, activation::text, event, context_updates::text, metadata_updates::text, attempt::text,
       errors::text, processed::text, applied_revision::text, process_id::text, ${
      epoch("started_at")
    } as started_at,
       ${epoch("inserted_at")} as inserted_at
     from ${t.results}
     where instance_id = $1::text::uuid
     order by ${t.results}.applied_revision nulls last, ${t.results}.inserted_at, step_ref, ${t.results}.activation, waits desc`,
    [instance],
  );
  return rows.map((row) => ({
    step: row.step_ref,
    activation: Number(row.activation),
    event: row.event,
    output: json(row.context_updates),
    metadata: json(row.metadata_updates),
    attempts: Number(row.attempt),
    errors: json<HistoryEntry["errors"]>(row.errors) ?? [],
    state: row.processed !== "true"
      ? "pending"
      : row.applied_revision === null
      ? "ignored"
      : "applied",
    revision: row.applied_revision === null ? undefined : Number(row.applied_revision),
    startedAt: maybeDate(row.started_at),
    at: date(row.inserted_at),
    process: row.process_id ?? undefined,
  }));
}
