import { move } from "../../core/deploy/move.ts";
import { refusedBySchema, stepsToCheck, valuesToCheck } from "../../core/deploy/values.ts";
import { isFinal } from "../../core/engine/instance.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import type { Db, Tx } from "../driver/contract.ts";
import { isLockTimeout, isRetryable, sqlState } from "../driver/errors.ts";
import { type LockedInstance, lockToMove, writeMove } from "../instances/move.ts";
import type { Tables } from "../sql/tables.ts";

/** Milliseconds to wait for somebody else's transaction. */
const patience = 2_000;
const mostTries = 5;

/** What a move of one instance needs. */
export interface Mover {
  readonly t: Tables;
  readonly channel: string;
  /** The graphs that instances have started with, by fingerprint. */
  readonly graphs: ReadonlyMap<string, Graph>;
  readonly from: number;
  /** The version that they have now, if its code is there. */
  readonly before: Workflow | undefined;
  readonly target: Workflow;
  readonly dryRun: boolean;
}

/** Why an instance was not moved. */
export interface Refusal {
  readonly key: string;
  readonly reason: string;
  readonly passes: boolean;
}

/** `undefined` if it was moved; `"gone"` if there is nothing to move any more. */
type MoveAnswer = Refusal | "gone" | undefined;

/** An instance to move. */
export interface Movable {
  readonly id: string;
  readonly key: string;
}

/** Moves one instance in a transaction of its own. */
export async function moveOne(db: Db, mover: Mover, one: Movable): Promise<MoveAnswer> {
  const { key } = one;
  for (let tries = 1;; tries++) {
    try {
      return await db.transaction((tx) => moveIn(tx, mover, one));
    } catch (error) {
      if (isRetryable(error) && tries < mostTries) continue;
      const passes = isLockTimeout(error) || isRetryable(error);
      if (passes) return { key, passes, reason: "another transaction holds it" };
      if (sqlState(error) !== "23505") throw error;
      const { version } = mover.target;
      return { key, passes, reason: `its key is taken by another instance of version ${version}` };
    }
  }
}

/** Moves one instance in this transaction. */
export async function moveIn(tx: Tx, mover: Mover, { id, key }: Movable): Promise<MoveAnswer> {
  const { t, channel, from, before, target, dryRun } = mover;
  await tx.query(`select set_config('lock_timeout', '${patience}', true)`);
  const locked = await lockToMove(tx, t, id, stepsToCheck(before, target));
  if (locked === undefined || locked.state.version !== from || isFinal(locked.state.status)) {
    return "gone";
  }
  const decided = await decide(mover, locked);
  if ("passes" in decided) return { ...decided, key };
  if (dryRun) return undefined;
  const { version, fingerprint } = target;
  const next = { version, fingerprint, uniqueKey: uniqueKey(target, key) };
  const written = await writeMove(tx, t, channel, locked, { ...next, control: decided.control });
  if (written) return undefined;
  throw new Error(`Cannot move instance ${id}: its row could not be written`);
}

async function decide({ graphs, before, target }: Mover, locked: LockedInstance) {
  const { state, executing, history } = locked;
  const of = `version ${target.version}`;
  const never = (reason: string) => ({ reason, passes: false });
  if (executing !== undefined) return { reason: `"${executing}" is running`, passes: true };
  if (!["pending", "running", "waiting"].includes(state.status)) {
    return never(`it is ${state.status}`);
  }
  if (state.revision === 0) return { reason: "no worker has begun it", passes: true };
  const from = graphs.get(state.graph ?? "");
  if (from === undefined) return never("the graph that it started with is not known");
  if (!state.key.startsWith(`${target.key}::`)) return never(`its key is not a "${target.key}"`);
  const moved = move(from, target.graph, locked, of);
  if (moved.reason !== undefined) return never(moved.reason);
  for (const value of valuesToCheck(before, target, state.input, history)) {
    const reason = await refusedBySchema(value, of);
    if (reason !== undefined) return never(reason);
  }
  return moved;
}
