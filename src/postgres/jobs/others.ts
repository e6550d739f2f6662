import { withdrawnStep } from "../../backend/job.ts";
import type { OtherJob, Turn } from "../../backend/turn.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { at, each, isActiveStatus, type OfTurn } from "../sql/fragments.ts";
import type { Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";

/** The jobs of other instances in these turns. */
export function othersIn(turns: readonly Turn[]): readonly OfTurn<OtherJob>[] {
  return each(turns, ({ others }) => others ?? []);
}

/**
 * The statement that inserts jobs of other instances. These are read and not locked: one that has
 * ended since gets a job that finds nothing to do. A child that has ended may be retried at the
 * same time, so it gets one too. A child that this statement does not see was started by a turn
 * that raised the revision, so that nothing here is written.
 */
export function insertOthers(s: Statement, t: Tables, others: readonly OfTurn<OtherJob>[]): string {
  const activation = ({ row }: OfTurn<OtherJob>) =>
    row.activation === firstActivation ? undefined : row.activation;
  const rows = s.rows(
    "other",
    others,
    at,
    ["instance_id", "uuid", ({ row }) => row.instance],
    ["queue", "text", ({ row }) => row.queue],
    ["step", "text", ({ row }) => row.step],
    ["activation", "int", activation],
    ["args", "text", ({ row }) => row.args],
  );
  return `insert into ${t.jobs} (instance_id, kind, state, queue, workflow, workflow_version, step, activation, args)
  select instance.id, 'resume', 'available', other.queue, instance.workflow, instance.workflow_version, other.step,
    other.activation, other.args::jsonb
  from ${rows}
  join advanced using (at)
  join ${t.instances} as instance on instance.id = other.instance_id
  where ${isActiveStatus("instance.status")} or other.step = '${withdrawnStep}'`;
}
