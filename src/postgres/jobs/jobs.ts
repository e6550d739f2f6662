import { deathsInCompany, type Job, type JobId, type NewJob } from "../../backend/job.ts";
import type { Counting, Demand, Lease } from "../../backend/queue.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import type { Failure } from "../../core/value/failure.ts";
import type { Queryable } from "../driver/contract.ts";
import { columns } from "../sql/arrays.ts";
import { epoch, held } from "../sql/fragments.ts";
import { Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";
import { insertJobs } from "./insert.ts";

export interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly workflow: string;
  readonly workflow_version: string;
  readonly instance_id: string;
  readonly step: string | null;
  readonly activation: string | null;
  readonly priority: string;
  readonly attempt: string;
  readonly at: string;
  readonly token: string;
  readonly max_attempts: string | null;
  readonly deaths: string;
  readonly errors: string | null;
  readonly args: string | null;
  readonly due: string;
}

export function jobOf(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    queue: row.queue,
    workflow: row.workflow,
    version: Number(row.workflow_version),
    instance: row.instance_id,
    step: row.step ?? undefined,
    activation: row.activation === null ? firstActivation : Number(row.activation),
    priority: Number(row.priority),
    attempt: Number(row.attempt),
    at: Number(row.at),
    token: Number(row.token),
    maxAttempts: row.max_attempts === null ? undefined : Number(row.max_attempts),
    deaths: Number(row.deaths),
    errors: row.errors === null ? [] : JSON.parse(row.errors),
    args: row.args === null ? undefined : JSON.parse(row.args),
  };
}

/** Reserves a block of ids. */
export async function reserveIds(on: Queryable, t: Tables): Promise<{ from: number; to: number }> {
  const [row] = await on.query<{ from: string }>(`select nextval(${t.jobIds})::text as from`);
  return { from: Number(row?.from), to: Number(row?.from) + 1000 };
}

/** The columns that a claim returns. */
export const jobColumns: string =
  `job.id::text, job.kind, job.queue, job.workflow, job.workflow_version::text, job.instance_id::text,
       job.step, job.activation::text, job.priority::text, job.attempt::text, job.token::text, job.max_attempts::text, job.deaths::text,
       job.errors::text, job.args::text, extract(epoch from job.scheduled_at)::text as due, ${
    epoch("job.attempted_at")
  } as at`;

/**
 * Claims the next jobs. `id = any (array(...))` makes `limit` exact and uses the primary key (6 µs
 * per row; `id in (... limit ...)` plans a scan: 13 µs). The process row is locked, so that the
 * claimer cannot be declared dead between its claim and the commit.
 *
 * While another session holds an old snapshot, the index entries of finished jobs stay at the head
 * of the index, and an empty scan reads them all. `since` starts behind them: from PostgreSQL 18
 * on, the index is searched once per priority.
 */
export async function claim(on: Queryable, t: Tables, demand: Demand): Promise<readonly Job[]> {
  const { process, queue, limit, serves, since } = demand;
  const rows = await on.query<JobRow>(
    `with me as materialized (
       select id from ${t.processes} where id = $1::text::bigint for key share
     )
     update ${t.jobs} as job
     set state = 'executing', attempt = job.attempt + 1, token = job.token + 1, process_id = $1::text::bigint,
       attempted_at = now()
     where job.id = any (array(
         select id
         from ${t.jobs}
         where state = 'available'
           and queue = $2::text
           and scheduled_at <= now()
           and scheduled_at > now() - coalesce($6::text::float8 * interval '1 millisecond', interval '1000 years')
           and (workflow, workflow_version) in (select * from unnest($3::text[], $4::int[]))
           and deaths < ${deathsInCompany}
         order by priority, scheduled_at, id
         limit $5::text::int
         for update skip locked))
       and exists (select from me)
     returning ${jobColumns}`,
    [
      process,
      queue,
      ...columns(serves, (served) => served.workflow, (served) => served.version),
      String(limit),
      since === undefined ? null : String(since),
    ],
  );
  const urgency = (a: JobRow, b: JobRow) =>
    Number(a.priority) - Number(b.priority) || Number(a.due) - Number(b.due) ||
    Number(a.id) - Number(b.id);
  return [...rows].sort(urgency).map(jobOf);
}

const isLeased = `job.id = $1::text::bigint and ${held("$2::text::bigint", "$3::text::int")}`;

const leased = ({ id, process, token }: Lease) => [id, process, String(token)];

/** Records a failed attempt with the errors so far. */
export async function retry(
  on: Queryable,
  t: Tables,
  lease: Lease,
  failures: readonly Failure[],
  delay: number,
): Promise<boolean> {
  const rows = await on.query(
    `update ${t.jobs} as job
     set state = 'retryable', process_id = null, scheduled_at = now() + $4::text::float8 * interval '1 millisecond',
       errors = $5::text::jsonb
     where ${isLeased}
     returning job.id::text`,
    [...leased(lease), String(delay), JSON.stringify(failures)],
  );
  return rows.length > 0;
}

/** Postpones a job. Its attempt is not used up unless it is `counted`. */
export async function snooze(
  on: Queryable,
  t: Tables,
  lease: Lease,
  delay: number,
  { counted = false }: Counting = {},
): Promise<boolean> {
  const rows = await on.query(
    `update ${t.jobs} as job
     set state = 'scheduled', process_id = null, attempt = job.attempt - ${counted ? 0 : 1},
       scheduled_at = now() + $4::text::float8 * interval '1 millisecond'
     where ${isLeased}
     returning job.id::text`,
    [...leased(lease), String(delay)],
  );
  return rows.length > 0;
}

/** Milliseconds until the next scheduled job is due. */
export async function nextDue(on: Queryable, t: Tables, atMost: number): Promise<number> {
  const [row] = await on.query<{ due: string | null }>(
    `select (extract(epoch from scheduled_at - clock_timestamp()) * 1000)::text as due
     from ${t.jobs}
     where state in ('scheduled', 'retryable')
     order by scheduled_at, id
     limit 1`,
  );
  return row?.due == null ? atMost : Math.min(atMost, Math.max(0, Math.ceil(Number(row.due))));
}

/** Deletes old discarded and cancelled jobs. */
export async function prune(on: Queryable, t: Tables, age: number, limit: number): Promise<number> {
  const rows = await on.query(
    `delete from ${t.jobs}
     where id = any (array(
       select id
       from ${t.jobs}
       where state in ('discarded', 'cancelled')
         and finished_at < now() - $1::text::float8 * interval '1 millisecond'
       order by finished_at, id
       limit $2::text::int
       for update skip locked))
     returning id::text`,
    [String(age), String(limit)],
  );
  return rows.length;
}

/**
 * Inserts a job that no turn starts: a scheduled delivery. Returns false if its instance has
 * another version. The lock keeps out a move to another version, and no turn.
 */
export async function insert(on: Queryable, t: Tables, job: NewJob): Promise<boolean> {
  const s = new Statement();
  s.with("me", `(select null::bigint as id where false)`);
  s.with(
    "here",
    `(
  select of.id, of.workflow, of.workflow_version, instance.tags, instance.metadata
  from ${
      s.rows(
        "of",
        [job],
        ["id", "uuid", ({ instance }) => instance],
        ["workflow", "text", ({ workflow }) => workflow],
        ["workflow_version", "int", ({ version }) => version],
      )
    }
  left join (
    select id, workflow_version, tags, metadata
    from ${t.instances}
    where id = ${s.bind(job.instance)}::text::uuid
    for key share
  ) as instance on instance.id = of.id
  where coalesce(instance.workflow_version, of.workflow_version) = of.workflow_version
)`,
  );
  s.with("scheduled", `(${insertJobs(s, t, [job], "here")} on conflict do nothing)`);
  const text = s.text("select count(*)::text as here from here");
  const [row] = await on.query<{ readonly here: string }>(text, s.parameters);
  return row?.here === "1";
}

/** Deletes a scheduled delivery that has not begun. */
export async function cancelScheduled(on: Queryable, t: Tables, id: JobId): Promise<boolean> {
  const rows = await on.query(
    `delete from ${t.jobs}
     where id = $1::text::bigint
       and kind = 'resume'
       and jsonb_exists(args, 'delivery')
       and state in ('available', 'scheduled', 'retryable')
     returning id::text`,
    [id],
  );
  return rows.length > 0;
}
