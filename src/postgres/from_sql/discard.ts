import type { Lease } from "../../backend/queue.ts";
import type { Failure } from "../../core/value/failure.ts";
import type { Queryable } from "../driver/contract.ts";
import { held } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";

/** Keeps a delivery that cannot be taken as a discarded job with the reason, until it is pruned. */
export async function discard(
  on: Queryable,
  t: Tables,
  { id, process, token }: Lease,
  error: Failure,
): Promise<boolean> {
  const rows = await on.query(
    `update ${t.jobs} as job
     set state = 'discarded', process_id = null, finished_at = now(), errors = $4::text::jsonb
     where job.id = $1::text::bigint and ${held("$2::text::bigint", "$3::text::int")}
     returning job.id::text`,
    [id, process, String(token), JSON.stringify([error])],
  );
  return rows.length > 0;
}
