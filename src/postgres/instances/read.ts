import type { InstanceState, StepOutput, UnreadResult } from "../../backend/store.ts";
import type { Activation } from "../../core/engine/activation.ts";
import { decodeControl } from "../../core/engine/control.ts";
import type { InstanceStatus } from "../../core/engine/instance.ts";
import { FAILED } from "../../core/engine/progress.ts";
import type { Failure } from "../../core/value/failure.ts";
import { decode, type JsonObject } from "../../core/value/json.ts";
import type { Queryable } from "../driver/contract.ts";
import { columns, texts } from "../sql/arrays.ts";
import { date, epoch } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";

interface StateRow {
  readonly id: string;
  readonly workflow: string;
  readonly workflow_version: string;
  readonly graph: string | null;
  readonly key: string;
  readonly revision: string;
  readonly status: InstanceStatus;
  readonly control: string;
  readonly metadata: string;
  readonly tags: string;
  readonly input: string | null;
  readonly inserted_at: string;
}

const knownColumns =
  `id::text, workflow, workflow_version::text, graph::text, key, revision::text, status, control::text,
       metadata::text, to_json(tags)::text as tags, input::text, ${
    epoch("inserted_at")
  } as inserted_at`;

function stateOf(row: StateRow): InstanceState {
  return {
    id: row.id,
    workflow: row.workflow,
    version: Number(row.workflow_version),
    graph: row.graph ?? undefined,
    key: row.key,
    revision: Number(row.revision),
    status: row.status,
    control: decodeControl(row.control),
    metadata: decode(row.metadata) as JsonObject,
    tags: decode(row.tags) as readonly string[],
    input: row.input === null ? undefined : decode(row.input),
    insertedAt: date(row.inserted_at),
  };
}

/** Reads what an advance needs of instances. */
export async function read(
  on: Queryable,
  t: Tables,
  ids: readonly string[],
): Promise<readonly InstanceState[]> {
  const rows = await on.query<StateRow>(
    `select ${knownColumns}
     from ${t.instances}
     where id = any ($1::uuid[])`,
    [texts(ids)],
  );
  return rows.map(stateOf);
}

/** Reads the results that no advance has read. */
export async function unprocessed(
  on: Queryable,
  t: Tables,
  ids: readonly string[],
): Promise<readonly UnreadResult[]> {
  const rows = await on.query<{
    readonly instance_id: string;
    readonly workflow_version: string;
    readonly step_ref: string;
    readonly activation: string;
    readonly waits: string;
    readonly event: string;
    readonly attempt: string;
    readonly metadata_updates: string | null;
    readonly context_updates: string | null;
    readonly errors: string | null;
  }>(
    `select instance_id::text, workflow_version::text, step_ref, activation::text, waits::text, event, attempt::text,
       metadata_updates::text,
       context_updates::text, case when event = '${FAILED}' then errors::text end as errors
     from ${t.results}
     where instance_id = any ($1::uuid[]) and not processed`,
    [texts(ids)],
  );
  return rows.map((row) => ({
    instance: row.instance_id,
    version: Number(row.workflow_version),
    step: row.step_ref,
    activation: Number(row.activation),
    waits: row.waits === "true",
    event: row.event,
    metadata: row.metadata_updates === null
      ? undefined
      : decode(row.metadata_updates) as JsonObject,
    output: row.context_updates === null ? undefined : decode(row.context_updates),
    attempt: Number(row.attempt),
    failure: row.errors === null ? undefined : (JSON.parse(row.errors) as Failure[]).at(-1),
  }));
}

interface OutputRow {
  readonly step_ref: string;
  readonly activation: string;
  readonly event: string;
  readonly context_updates: string | null;
  readonly causes: string | null;
}

const outputColumns = "step_ref, activation::text, event, context_updates::text, causes";
const isApplied = "not waits and applied_revision is not null";

function outputOf(row: OutputRow): StepOutput {
  return {
    step: row.step_ref,
    activation: Number(row.activation),
    event: row.event,
    output: row.context_updates === null ? undefined : decode(row.context_updates),
    causes: row.causes ? row.causes.split(",") : [],
  };
}

/** How steps of an instance ended. */
export async function ended(
  on: Queryable,
  t: Tables,
  instance: string,
  steps: readonly Activation[] | undefined,
): Promise<readonly StepOutput[]> {
  const wanted = steps === undefined ? "" : `
       and (step_ref, activation) in (select * from unnest($2::text[], $3::int[]))`;
  const rows = await on.query<OutputRow>(
    `select ${outputColumns}
     from ${t.results}
     where instance_id = $1::text::uuid and ${isApplied}${wanted}`,
    [
      instance,
      ...(steps === undefined ? [] : columns(steps, ({ step }) => step, (of) => of.activation)),
    ],
  );
  return rows.map(outputOf);
}

/** How the activations of a step ended that have these numbers, in their order. */
export async function endedBetween(
  on: Queryable,
  t: Tables,
  instance: string,
  step: string,
  first: number,
  last: number,
): Promise<readonly StepOutput[]> {
  const rows = await on.query<OutputRow>(
    `select ${outputColumns}
     from ${t.results}
     where instance_id = $1::text::uuid and ${isApplied}
       and step_ref = $2 and activation between $3::text::int and $4::text::int
     order by ${t.results}.activation`,
    [instance, step, String(first), String(last)],
  );
  return rows.map(outputOf);
}

/**
 * Locks an instance for a turn that is written in a later statement, and reads it. `for update`
 * also keeps out those who insert rows that refer to it.
 */
export async function lock(
  on: Queryable,
  t: Tables,
  instance: string,
  strength: "for no key update" | "for update" = "for no key update",
): Promise<InstanceState | undefined> {
  const [row] = await on.query<StateRow>(
    `select ${knownColumns}
     from ${t.instances}
     where id = $1::text::uuid
     ${strength}`,
    [instance],
  );
  return row && stateOf(row);
}
