import type { NewJob } from "../../backend/job.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { at, type OfTurn } from "../sql/fragments.ts";
import type { Column, Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";

/** Bound only if it is not the first. */
function unusual({ activation }: NewJob): number | undefined {
  return activation === firstActivation ? undefined : activation;
}

const jobColumns: readonly Column<NewJob>[] = [
  ["instance_id", "uuid", (job) => job.instance],
  ["id", "bigint", (job) => job.id],
  ["kind", "text", (job) => job.kind],
  ["queue", "text", (job) => job.queue],
  ["step", "text", (job) => job.step],
  ["priority", "int", (job) => job.priority],
  ["max_attempts", "int", (job) => job.maxAttempts],
  ["delay", "float8", (job) => job.delay],
  ["owned", "boolean", (job) => job.owned],
  ["args", "text", (job) => job.args],
  ["activation", "int", unusual, "rare"],
];

const isTimed = ({ due, deadline }: NewJob) => due !== undefined || deadline !== undefined;

/** Of jobs that are due at a point in time, or have a deadline. Times are in milliseconds. */
const timeColumns: readonly Column<NewJob>[] = [
  ["due", "float8", ({ due }) => due?.getTime()],
  [
    "ends",
    "float8",
    ({ deadline }) => typeof deadline === "object" ? deadline.getTime() : undefined,
  ],
  ["lasts", "float8", ({ deadline }) => typeof deadline === "number" ? deadline : undefined],
];

/** The arguments of a job that may have a deadline: it is kept as a point in time. */
function argsOf(job: string): string {
  return `case when coalesce(${job}.ends, ${job}.lasts) is null then ${job}.args::jsonb
      else jsonb_build_object('deadline', coalesce(${job}.ends, extract(epoch from now()) * 1000 + ${job}.lasts)) end`;
}

/**
 * The statement that inserts jobs for the instances in the common table expression `of`. Jobs that
 * begin here are owned by the process in `me`, if it is alive.
 */
export function insertJobs(s: Statement, t: Tables, jobs: readonly NewJob[], of: string): string {
  const timed = jobs.some(isTimed);
  const [columns, dueAt, isLater, args] = timed
    ? [
      [...jobColumns, ...timeColumns],
      `greatest(now(), coalesce(to_timestamp(job.due / 1000), now() + job.delay * interval '1 millisecond'))`,
      "coalesce(to_timestamp(job.due / 1000) > now(), job.delay > 0)",
      argsOf("job"),
    ]
    : [
      jobColumns,
      "now() + job.delay * interval '1 millisecond'",
      "job.delay > 0",
      "job.args::jsonb",
    ];
  return `insert into ${t.jobs} (id, instance_id, kind, state, queue, workflow, workflow_version, step, activation,
    priority, max_attempts, scheduled_at, attempt, token, attempted_at, process_id, tags, metadata, args)
  select job.id, job.instance_id, job.kind,
    case when job.owned and me.id is not null then 'executing' when ${isLater} then 'scheduled' else 'available' end,
    job.queue, ${of}.workflow, ${of}.workflow_version, job.step, job.activation,
    job.priority, job.max_attempts,
    ${dueAt}, case when job.owned and me.id is not null then 1 else 0 end,
    case when job.owned and me.id is not null then 1 else 0 end,
    case when job.owned and me.id is not null then now() end, case when job.owned then me.id end,
    nullif(${of}.tags, '{}'), nullif(${of}.metadata, '{}'), ${args}
  from ${s.rows("job", jobs, ...columns)}
  join ${of} on ${of}.id = job.instance_id
  left join me on true`;
}

/**
 * The statement that writes jobs into the rows of jobs that have ended. It writes the same as an
 * insert except for the indexed columns, so the update stays on its page and touches no index. The
 * row must exist: a writer that deletes it also raises the revision or writes the step's result,
 * and in both cases the turn is not written.
 */
export function reuseJobs(
  s: Statement,
  t: Tables,
  jobs: readonly OfTurn<NewJob>[],
  of: string,
): string {
  const timed = jobs.some(({ row }) => isTimed(row));
  const rows = s.rows(
    "next",
    jobs,
    at,
    ["id", "bigint", ({ row }) => row.id],
    ["step", "text", ({ row }) => row.step],
    ["activation", "int", ({ row }) => unusual(row), "rare"],
    ["max_attempts", "int", ({ row }) => row.maxAttempts],
    ["args", "text", ({ row }) => row.args, "rare"],
    ...(timed ? timeColumns.map(ofRow) : []),
  );
  return `update ${t.jobs} as job
  set state = 'executing', process_id = me.id, token = job.token + 1, step = next.step,
    activation = next.activation, attempt = 1,
    max_attempts = next.max_attempts, attempted_at = now(), inserted_at = now(), tags = nullif(${of}.tags, '{}'),
    metadata = nullif(${of}.metadata, '{}'), args = ${
    timed ? argsOf("next") : "next.args::jsonb"
  }, errors = null, deaths = 0
  from ${rows}
  join ${of} using (at)
  cross join me
  where job.id = next.id`;
}

function ofRow([name, type, value]: Column<NewJob>): Column<OfTurn<NewJob>> {
  return [name, type, ({ row }, index) => value(row, index)];
}
