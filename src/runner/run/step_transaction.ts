import { isRunning, leaseOf } from "../host.ts";
import { type LocalResult, resultOf } from "./outcome.ts";
import { commitAlone } from "../turn/commit_alone.ts";
import type { Sql } from "../../core/define/context.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Attempt } from "./attempt.ts";
import type { WorkerContext } from "./worker_context.ts";
import type { Cancellation } from "./cancellation.ts";
import { observeEnd, sayRefused } from "../observe.ts";
import { isUnreachable, memberOf, pause } from "../upkeep/outage.ts";

/**
 * How often the code in the transaction may run in one attempt: its commit may be lost, refused, or
 * asked for again.
 */
const mostRuns = 5;

/** The step is over, by whoever was faster: nothing of this transaction may stay. */
class Over extends Error {}

/** The last part of a step, which runs in the transaction that records its result. */
export interface Work {
  readonly code: (sql: Sql) => unknown;
  /** Milliseconds that are left of the step's time limit. */
  readonly limit: number | undefined;
}

/**
 * Runs the last part of a step in the transaction that records its result: what it writes commits
 * with the result, or not at all. Lock order: the user's rows, the process row, the instance, its
 * jobs.
 *
 * Whatever goes wrong while that code runs is a failed attempt, and so is the loss of its
 * connection then. Before it nothing has happened yet; after it the outcome is unknown: the
 * instance is read again, and the code runs again where the step is still active.
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
          step.name,
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
        if (!away) sayRefused(runtime.logger, job, cached.known.key, error);
        // What holds or refuses the row of the instance does not keep the result from being
        // recorded.
        inline = false;
        continue;
      }
      if (!away || !(await pause(host.givenUp))) throw error;
      // The commit may have come through: then the step is no longer active, and nothing is run
      // again.
      if (at(part) === "after" && !(await isOpen(workers, attempt))) break;
    }
  }
  await runtime.backend.store.pass([{ lease: leaseOf(job), instance: job.instance, ignored: [] }]);
}

/** What the compiler does not see: a callback has changed it. */
function at(part: string): string {
  return part;
}

function neverCommitted(step: string): HephaestusError {
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot finish step "${step}": its transaction ran ${mostRuns} times, and none could be committed`,
  );
}

/** Whether the step is still to be ended, as soon as the database can be asked. */
async function isOpen(
  { host, instances }: WorkerContext,
  { job }: Attempt,
): Promise<boolean> {
  for (;;) {
    try {
      const known = (await instances.refresh([job.instance])).get(job.instance);
      return known !== undefined && isRunning(known, job);
    } catch (error) {
      if (!isUnreachable(error) || !(await pause(host.givenUp))) throw error;
    }
  }
}
