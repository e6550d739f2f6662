import type { Tables } from "../sql/tables.ts";

/**
 * Requests advances, unless one is already waiting. `from` selects instance_id, queue, workflow,
 * workflow_version and unique_key, in this order, sorted by instance, and then the columns in
 * `carried`.
 *
 * A waiting advance is kept by locking its row with an update that changes nothing. It then cannot
 * be claimed before the data it must read has been committed. `do nothing` would not lock the row.
 */
export function wakeAdvances(t: Tables, from: string, carried: readonly string[] = []): string {
  const columns = ["instance_id", "queue", "workflow", "workflow_version", "unique_key", ...carried]
    .join(", ");
  return `insert into ${t.jobs} (kind, state, ${columns})
  select 'advance', 'available', ${columns}
  from (${from}) as waking (${columns})
  on conflict (unique_key) where kind = 'advance' and state = 'available'
  do update set state = excluded.state where false`;
}
