import type { Tx } from "../driver/contract.ts";
import { freeDead, freeUnowned } from "../jobs/give_back.ts";
import { wakeAdvances } from "../jobs/wake.ts";
import {
  hasBegun,
  isActive,
  isActiveStatus,
  isFinalStatus,
  isLive,
  jobActivation,
} from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";
import type { Found } from "./rule.ts";

/** Repairs one violation in its own transaction. Returns false when it no longer exists. */
export type Repair = (tx: Tx, t: Tables, found: Found, queue: string) => Promise<boolean>;

/** Locks the instance before its jobs, as every writer does. `condition` may use the step as $2. */
async function lock(
  tx: Tx,
  t: Tables,
  { instance, step }: Found,
  condition: string,
): Promise<boolean> {
  const rows = await tx.query(
    `select id::text from ${t.instances} i where id = $1::text::uuid and ${condition} for no key update`,
    [instance, step],
  );
  return rows.length > 0;
}

const some = async (rows: Promise<readonly unknown[]>) => (await rows).length > 0;
const final = `${isFinalStatus("i.status")} and $2::text is not null`;

const woken = (tx: Tx, t: Tables, { instance }: Found, queue: string, condition: string) => {
  const waking = `select i.id, $2::text, i.workflow, i.workflow_version, i.id
    from ${t.instances} i
    where i.id = $1::text::uuid and ${condition}`;
  return some(tx.query(`${wakeAdvances(t, waking)} returning id::text`, [instance, queue]));
};

/** The safe repairs. Each one checks again, under the locks that the engine's own writers take. */
export const repairs: Readonly<Record<string, Repair>> = {
  // An extra wake-up is harmless: it finds nothing to do.
  unread: (tx, t, found, queue) => woken(tx, t, found, queue, "true"),
  // An advance begins with the undoing only where nothing is active.
  "undriven-undo": (tx, t, found, queue) =>
    woken(tx, t, found, queue, "i.control -> 'active' = '{}'"),
  // The job finds out how the child has ended.
  untold: async (tx, t, found, queue) =>
    await lock(tx, t, found, `${isActiveStatus("i.status")} and $2::text is not null`) &&
    await some(tx.query(
      `insert into ${t.jobs} (instance_id, kind, state, queue, workflow, workflow_version, step, activation, args)
       select i.id, 'resume', 'available', $4, i.workflow, i.workflow_version, r.step_ref, r.activation,
         jsonb_build_object('delivery', $3::text, 'child', $3::text)
       from ${t.results} r
       join ${t.instances} i on i.id = r.instance_id
       where r.instance_id = $1::text::uuid and r.step_ref = $2 and r.waits and r.context_updates ->> 'child' = $3
         and not exists (select from ${t.instances} c
           where c.id = $3::text::uuid and ${isActiveStatus("c.status")})
         and not exists (select from ${t.jobs} j
           where j.instance_id = i.id and j.step = r.step_ref and ${isLive("j")}
             and ${jobActivation("j")} = r.activation)
       returning id::text`,
      [found.instance, found.step, found.note, queue],
    )),
  "final-job": async (tx, t, found) =>
    await lock(tx, t, found, final) &&
    await some(tx.query(
      `update ${t.jobs} as job
       set state = 'cancelled', finished_at = now(), process_id = null
       where id = $1::text::bigint and ${isLive("job")}
       returning id::text`,
      [found.job],
    )),
  "inactive-job": async (tx, t, found) =>
    await lock(tx, t, found, "$2::text is not null") &&
    await some(
      // The row may belong to the next step by now.
      tx.query(
        `delete from ${t.jobs} as j
         using ${t.instances} as i
         where j.id = $1::text::bigint and j.step = $2 and i.id = j.instance_id
           and not ${isActive("i.control", "j.step", jobActivation("j"))}
           and not ${hasBegun("i.control", "j.step", jobActivation("j"))}
         returning j.id::text`,
        [found.job, found.step],
      ),
    ),
  // Results that rely on the deleted advance are read by the remaining one: it cannot be claimed
  // meanwhile.
  "double-advance": (tx, t, { instance }) =>
    some(tx.query(
      `with waiting as materialized (
         select id
         from ${t.jobs}
         where unique_key = $1::text::uuid and kind = 'advance' and state = 'available'
         order by id
         for update
       )
       delete from ${t.jobs}
       where id in (select id from waiting) and id <> (select min(id) from waiting)
       returning id::text`,
      [instance],
    )),
  version: async (tx, t, found) =>
    await lock(tx, t, { ...found, step: "" }, `$2::text is not null`) &&
    await some(tx.query(
      `update ${t.jobs} as job
       set workflow_version = i.workflow_version
       from ${t.instances} i
       where job.id = $1::text::bigint and i.id = job.instance_id and job.state <> 'executing'
         and job.workflow_version <> i.workflow_version
       returning job.id::text`,
      [found.job],
    )),
  "orphan-job": (tx, t, { job }) =>
    some(tx.query(
      `delete from ${t.jobs} j
       where id = $1::text::bigint
         and not exists (select from ${t.instances} i where i.id = j.instance_id)
       returning id::text`,
      [job],
    )),
  // Deletes everything of the instance, because that was the intent of its deletion. Other
  // violations of the same instance are then already fixed.
  "orphan-result": (tx, t, { instance }) =>
    some(tx.query(
      `delete from ${t.results} r
       where instance_id = $1::text::uuid
         and not exists (select from ${t.instances} i where i.id = r.instance_id)
       returning instance_id::text`,
      [instance],
    )),
  unowned: (tx, t, { job }) => some(freeUnowned(tx, t, job ?? "0")),
  owned: (tx, t, { job }) =>
    some(tx.query(
      `update ${t.jobs}
       set process_id = null
       where id = $1::text::bigint and state <> 'executing'
       returning id::text`,
      [job],
    )),
  // As in a rescue, the process row is deleted first and its jobs are read in a later statement.
  silent: async (tx, t, { process }) =>
    await some(tx.query(
      `delete from ${t.processes}
       where id = $1::text::bigint and expires_at < now() - interval '1 minute'
       returning id::text`,
      [process],
    )) && (await freeDead(tx, t, [process ?? "0"]), true),
};
