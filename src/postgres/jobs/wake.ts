import type { Tables } from "../sql/tables.ts";

/**
 * Asks for advances, unless one waits already. `from` selects instance_id, queue, workflow,
 * workflow_version and unique_key, in this order, in the order of the instances, and then the
 * columns in `carried`.
 *
 * The waiting one is held by locking its row, which `do nothing` would not: it cannot be claimed
 * before what relies on it has committed. That update writes nothing.
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
