import type { Sql } from "../core/context.ts";
import type { StoreTransaction } from "../store/store.ts";
import { applied } from "./applied.ts";
import type { Attempt, Workers } from "./attempt.ts";
import type { Cancellation } from "./cancellation.ts";
import { endedWith, observeEnd } from "./ended.ts";
import { leaseOf } from "./host.ts";
import { planOrLoad } from "./plan.ts";
import { ready, takeBack } from "./ready.ts";
import { isUnreachable, pause } from "./trouble.ts";
import { type Ended, wakeOf } from "./turns.ts";

const mostTries = 3;

/** The step is over, by whoever was faster: nothing of this transaction may stay. */
class Over extends Error {}

/**
 * Runs the last part of a step in the transaction that records its result: what it writes commits with the result, or
 * not at all. Lock order: the user's rows, the process row, the instance, its jobs.
 */
export async function recordInTransaction(
  workers: Workers,
  attempt: Attempt,
  work: (sql: Sql) => unknown,
  cancellation: Cancellation,
): Promise<void> {
  const { parts, host, instances } = workers;
  const { job, step } = attempt;
  for (;;) {
    try {
      await parts.backend.store.transaction(async (tx) => {
        if (cancellation.reason) throw cancellation.reason;
        const ended = await endedWith(parts, attempt, await work(tx.sql as Sql));
        const finish = parts.inline && !step.asynchronous
          ? await commitTurn(workers, attempt, tx, ended)
          : await record(workers, attempt, tx, ended);
        return () => {
          finish();
          observeEnd(parts, attempt, ended);
        };
      }).then((finished) => finished());
      return;
    } catch (error) {
      if (error instanceof Over) break;
      if (!isUnreachable(error) || !(await pause(host.givenUp))) throw error;
      // The commit may have come through: then the step is no longer active, and nothing is run again.
      const known = (await instances.refresh([job.instance])).get(job.instance);
      if (!known?.control.active.has(step.name)) break;
    }
  }
  await parts.backend.store.pass([{ lease: leaseOf(job), instance: job.instance, ignored: [] }]);
  host.slots.release(job.queue);
}

/** Writes the turn in the open transaction, and an unread result instead when the instance moves too often. */
async function commitTurn(
  workers: Workers,
  attempt: Attempt,
  tx: StoreTransaction,
  ended: Ended,
): Promise<() => void> {
  const { parts, host, instances } = workers;
  const { job } = attempt;
  for (let tries = 0; tries < mostTries; tries++) {
    if (tries > 0) await instances.refresh([job.instance]);
    await instances.load([job.instance]);
    const submission = { job, ended, tries };
    let planned = await planOrLoad(parts, instances.get(job.instance), [submission], []);
    if (planned.plan === undefined) {
      planned = await planOrLoad(parts, await instances.fresh(job.instance), [submission], []);
    }
    if (planned.plan === undefined) throw new Over();
    const [turn] = await ready(parts, host, [planned.plan]);
    if (turn === undefined) throw new Over();
    try {
      // The process may have entered again meanwhile: what began under the dead id must not be written under the new one.
      const written = await tx.commit(job.process, [turn.turn]);
      const at = written.get(job.instance);
      if (at !== undefined) return () => applied(workers, turn, job.process, at);
      takeBack(host, turn);
    } catch (error) {
      takeBack(host, turn);
      throw error;
    }
  }
  return record(workers, attempt, tx, ended);
}

async function record(
  { parts, host }: Workers,
  { job, workflow }: Attempt,
  tx: StoreTransaction,
  { result }: Ended,
): Promise<() => void> {
  const standing = await tx.record([{
    ...result,
    instance: job.instance,
    version: job.version,
    lease: leaseOf(job),
    wake: wakeOf(parts, workflow),
  }]);
  if (!standing.has(job.id)) throw new Over();
  return () => host.slots.release(job.queue);
}
