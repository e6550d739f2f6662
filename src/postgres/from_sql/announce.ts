import type { KnownVersion } from "../../backend/from_sql.ts";
import type { Queryable } from "../driver/contract.ts";
import { columns } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";

/**
 * Stores what the SQL functions must know of versions. The one that was announced last as current
 * is the version of new instances, so a process with former code takes over when it starts again.
 */
export async function announce(
  on: Queryable,
  t: Tables,
  versions: readonly KnownVersion[],
): Promise<void> {
  await on.query(
    `insert into ${t.versions} as known (workflow, workflow_version, key, scope, queue, current)
     select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::boolean[])
     order by 1, 2
     on conflict (workflow, workflow_version) do update
     set key = excluded.key, scope = excluded.scope, queue = excluded.queue, current = excluded.current,
       announced_at = now()`,
    [...columns(
      versions,
      ({ workflow }) => workflow,
      ({ version }) => version,
      ({ key }) => key,
      ({ scope }) => scope,
      ({ queue }) => queue,
      ({ current }) => current,
    )],
  );
}
