import { type Beat, namedAtMost, type OrphanedJob, type Serving } from "../../backend/queue.ts";
import type { Queryable, Tx } from "../driver/contract.ts";
import { array, texts } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";

/** Registers a process under an id that is never reused. */
export async function register(
  on: Queryable,
  t: Tables,
  name: string,
  lease: number,
  serving: Serving | undefined,
): Promise<string> {
  const [row] = await on.query<{ id: string }>(
    `insert into ${t.processes} (name, expires_at, queues, serves)
     values ($1, now() + $2::text::float8 * interval '1 millisecond', $3::text::text[], $4::text::text[])
     returning id::text`,
    [
      name,
      String(lease),
      serving ? texts(serving.queues) : null,
      serving ? texts(serving.workflows.flatMap(served)) : null,
    ],
  );
  return row!.id;
}

/**
 * The identifiers of a workflow version in the row of a process: one without its graph, one with
 * it.
 */
function served({ workflow, version, graph }: Serving["workflows"][number]): readonly string[] {
  const code = `${workflow}@${version}`;
  return graph === undefined ? [code] : [code, `${code}@${graph}`];
}

/**
 * Extends the lease. This is an update, never an upsert: a process that was declared dead stays
 * dead.
 */
export async function heartbeat(
  on: Queryable,
  t: Tables,
  process: string,
  lease: number,
): Promise<Beat | undefined> {
  const rows = await on.query(
    `update ${t.processes}
     set heartbeat_at = now(), expires_at = now() + $2::text::float8 * interval '1 millisecond'
     where id = $1::text::bigint
     returning id::text`,
    [process, String(lease)],
  );
  if (rows.length === 0) return undefined;
  const owned = await on.query<{ id: string; token: string }>(
    `select id::text, token::text
     from ${t.jobs}
     where state = 'executing' and process_id = $1::text::bigint`,
    [process],
  );
  return { owned: owned.map(({ id, token }) => ({ process, id, token: Number(token) })) };
}

/** Unregisters a process. */
export async function unregister(on: Queryable, t: Tables, process: string): Promise<void> {
  await on.query(`delete from ${t.processes} where id = $1::text::bigint`, [process]);
}

/** `$1` is the asking process, which is alive. */
const expired = "expires_at < now() and id is distinct from $1::text::bigint";

/**
 * Whether any process must be declared dead. Asked at every heartbeat, so it uses no transaction.
 */
export async function anyExpired(
  on: Queryable,
  t: Tables,
  rescuer: string | undefined,
): Promise<boolean> {
  const rows = await on.query(
    `select id::text from ${t.processes} where ${expired} limit 1`,
    [rescuer ?? null],
  );
  return rows.length > 0;
}

/**
 * Deletes the rows of processes whose lease has expired. From this commit on they can write
 * nothing.
 */
export async function declareDead(
  on: Queryable,
  t: Tables,
  rescuer: string | undefined,
): Promise<readonly string[]> {
  const rows = await on.query<{ id: string }>(
    `delete from ${t.processes}
     where id = any (array(
       select id
       from ${t.processes}
       where ${expired}
       order by id
       for update skip locked))
     returning id::text`,
    [rescuer ?? null],
  );
  return rows.map((row) => row.id);
}

/** The jobs of processes that were declared dead. Must be read before the jobs are freed. */
export async function runBy(
  on: Pick<Tx, "query">,
  t: Tables,
  processes: readonly string[],
): Promise<readonly OrphanedJob[]> {
  const rows = await on.query<Record<string, string | null>>(
    `select job.process_id::text as process, job.id::text as job, job.kind, job.workflow,
       job.workflow_version::text as version, instance.key, job.instance_id::text as instance, job.step,
       job.attempt::text, job.max_attempts::text
     from ${t.jobs} as job
     left join ${t.instances} as instance on instance.id = job.instance_id
     where job.state = 'executing' and job.process_id = any ($1::bigint[])
     order by job.process_id, job.kind = 'execute' desc, job.id
     limit ${namedAtMost}`,
    [array(processes, (id) => id)],
  );
  return rows.map((row) => ({
    process: row.process!,
    job: row.job!,
    kind: row.kind!,
    workflow: row.workflow!,
    version: Number(row.version),
    key: row.key ?? undefined,
    instance: row.instance!,
    step: row.step ?? undefined,
    attempt: Number(row.attempt),
    maxAttempts: row.max_attempts === null ? undefined : Number(row.max_attempts),
  }));
}
