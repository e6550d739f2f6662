import type { Database } from "../pg.ts";
import type { World } from "./world.ts";

/** The tables, with the columns that hold times. */
export const times = {
  workflow_instances: ["inserted_at", "updated_at", "finished_at"],
  step_results: ["started_at", "inserted_at"],
  jobs: ["scheduled_at", "attempted_at", "finished_at", "inserted_at"],
  processes: ["started_at", "heartbeat_at", "expires_at"],
};

/** Moves everything that has happened, and everything that is to come, into the past. */
export async function elapse({ sql }: Database, milliseconds: number): Promise<void> {
  for (const [table, columns] of Object.entries(times)) {
    const earlier = columns.map((name) => `${name} = ${name} - $1::float8 * interval '1 ms'`);
    await sql.unsafe(`update hephaestus.${table} set ${earlier}`, [milliseconds]);
  }
}

/** The jobs that are there, in the order of their ids. */
export async function jobs({ sql }: Database): ReturnType<World["jobs"]> {
  const rows = await sql`
    select id, kind, instance_id, step, queue, state, attempt, process_id, scheduled_at, finished_at
    from hephaestus.jobs
    order by id`;
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    instance: row.instance_id,
    step: row.step ?? undefined,
    queue: row.queue,
    state: row.state,
    attempt: row.attempt,
    process: row.process_id ?? undefined,
    scheduledAt: row.scheduled_at,
    finishedAt: row.finished_at ?? undefined,
  }));
}
