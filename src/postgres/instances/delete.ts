import type { DeleteResult } from "../../backend/store.ts";
import { type InstanceStatus, isFinal } from "../../core/engine/instance.ts";
import type { Tx } from "../driver/contract.ts";
import { date, epoch } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";

/**
 * Deletes an instance; a trigger deletes its results and jobs. Whether it was active is decided
 * under the lock.
 */
export async function deleteInstance(
  on: Pick<Tx, "query">,
  t: Tables,
  channel: string,
  instance: string,
  force: boolean,
): Promise<DeleteResult> {
  const [row] = await on.query<{ readonly status: InstanceStatus; readonly at: string }>(
    `select status, ${epoch("statement_timestamp()")} as at
     from ${t.instances}
     where id = $1::text::uuid
     for update`,
    [instance],
  );
  if (row === undefined) return { kind: "missing" };
  const { status } = row;
  if (!isFinal(status) && !force) return { kind: "active", status };
  await on.query(`delete from ${t.instances} where id = $1::text::uuid`, [instance]);
  await on.query(`select pg_notify('${channel}', $1)`, [instance]);
  return { kind: "deleted", status, at: date(row.at) };
}
