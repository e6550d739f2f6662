import type { Sql } from "../../core/define/context.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import { isStillOpen } from "../each/load.ts";
import { passOf } from "../host.ts";
import { logRefusal, observeEnd } from "../observe.ts";
import { commitAlone } from "../turn/commit_alone.ts";
import { isUnreachable, memberOf, pause } from "../upkeep/outage.ts";
import type { Attempt } from "./attempt.ts";
import type { Cancellation, Limit } from "./cancellation.ts";
import { type LocalResult, resultOf } from "./outcome.ts";
import type { WorkerContext } from "./worker_context.ts";

/**
 * How often the code in the transaction may run in one attempt. Its commit can be lost, refused, or
 * retried.
 */
const mostRuns = 5;

/** The step was ended elsewhere first: this transaction must roll back. */
class Over extends Error {}

/** The last part of a step, which runs in the transaction that records its result. */
export interface Work {
  readonly code: (sql: Sql) => unknown;
  /** What is left of the limits of the attempt. */
  readonly limit: Limit | undefined;
}

/**
 * Runs the last part of a step in the transaction that records its result: its writes commit
 * together with the result or not at all. Lock order: the user's rows, the process row, the
 * instance, its jobs.
 *
 * An error or a lost connection while the code runs is a failed attempt. Before the code runs,
 * nothing has happened yet. After it, the outcome is unknown: the instance is read again, and the
 * code runs again if the step is still active.
 */
export async function recordInTransaction(
  workers: WorkerContext,
  attempt: Attempt,
  work: Work,
  cancellation: Cancellation,
): Promise<void> {
  const { runtime, host } = workers;
  const { job, step, cached } = attempt;
  let inline = runtime.inline && !step.asynchronous;
  let runs = 0;
  let last: unknown;
  for (;;) {
    let part: "before" | "code" | "after" = "before";
    using slots = host.slots.hold();
    try {
      const finish = await runtime.backend.store.transaction(async (tx) => {
        if (cancellation.reason) throw cancellation.reason;
        part = "code";
        if (runs++ === mostRuns) throw last ?? neverCommitted(step.name);
        const result = await cancellation.run(
          work.limit,
          async () => await resultOf(attempt, await work.code(tx.sql as Sql), runtime.payloadLimit),
        ) as LocalResult;
        part = "after";
        const written = await commitAlone(workers, tx, job, result, { slots, recordOnly: !inline });
        if (written === undefined) throw new Over();
        return () => {
          written();
          observeEnd(runtime.telemetry, attempt, result);
        };
      });
      return finish();
    } catch (error) {
      if (error instanceof Over) break;
      if (at(part) === "code") throw error;
      last = error;
      const away = isUnreachable(error);
      if (inline && at(part) === "after" && memberOf(error, "code") !== "DATABASE_UNREACHABLE") {
        if (!away) logRefusal(runtime.logger, job, cached.state.key, error);
        // The result can still be recorded if the instance row is locked or refused.
        inline = false;
        continue;
      }
      if (!away || !(await pause(host.givenUp))) throw error;
      // The commit may have succeeded. Then the step is no longer active, and nothing runs again.
      if (at(part) === "after" && !(await isOpen(workers, attempt))) break;
    }
  }
  await runtime.backend.store.pass([passOf(job)]);
}

/** Widens the type: a callback has changed the value, which the compiler cannot see. */
function at(part: string): string {
  return part;
}

function neverCommitted(step: string): HephaestusError {
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot finish step "${step}": its transaction ran ${mostRuns} times, but could not be committed`,
  );
}

/** Whether the step has not ended yet. Waits until the database answers. */
async function isOpen(
  { runtime, host, instances }: WorkerContext,
  { job }: Attempt,
): Promise<boolean> {
  for (;;) {
    try {
      const state = (await instances.refresh([job.instance])).get(job.instance);
      return await isStillOpen(runtime.backend.store, state, job);
    } catch (error) {
      if (!isUnreachable(error) || !(await pause(host.givenUp))) throw error;
    }
  }
}
