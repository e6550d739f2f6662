import type { Written } from "../backend/store.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import { AlreadyRunningError } from "../core/errors/errors.ts";
import { resolve } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import type { JsonObject } from "../core/value/json.ts";
import { checkNames, type OptionNames } from "../core/value/option_names.ts";
import { andThen } from "../core/value/promise.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { instanceOf, prepare, type Prepared } from "../runner/incoming/prepare.ts";
import { emitStart, logFailure } from "../runner/observe.ts";
import { jobsOf, placement } from "../runner/turn/new_jobs.ts";
import type { WorkerProcess } from "../runner/worker.ts";
import type { Client } from "./client.ts";
import { endInstance } from "./end.ts";
import { type AnyWorkflow, bareKey } from "./find.ts";
import type { Handle } from "./handle.ts";

/** The options of a start. */
export interface StartOptions {
  /** The version to start, instead of the one that `pick` or `current` chooses. */
  readonly version?: number | undefined;
  /**
   * What to do when the business key is active: throw an error, return a handle to the active
   * instance, or cancel it and start a new one. Default: `"reject"`.
   */
  readonly onConflict?: "reject" | "return" | "replace" | undefined;
  /** Tags in addition to those of the workflow. */
  readonly tags?: readonly string[] | undefined;
  /** Metadata in addition to that of the workflow. It wins where both have the same key. */
  readonly metadata?: JsonObject | undefined;
  /** The caller's open transaction: the start commits with it or not at all. */
  readonly tx?: AnyTransaction | undefined;
}

const startNames: OptionNames<StartOptions> = {
  metadata: true,
  onConflict: true,
  tags: true,
  tx: true,
  version: true,
};

/** One of many instances to start. */
export interface StartItem<In = unknown> {
  /** The value of the business key. */
  readonly key: string;
  /** The input of the instance. */
  readonly input: In;
  /** Tags in addition to those of the workflow. */
  readonly tags?: readonly string[] | undefined;
  /** Metadata in addition to that of the workflow. It wins where both have the same key. */
  readonly metadata?: JsonObject | undefined;
}

/** The options of starting many instances. */
export type StartManyOptions = Pick<StartOptions, "version" | "tx">;

const startManyNames: OptionNames<StartManyOptions> = { tx: true, version: true };

/** The handle of one of many instances. */
export interface StartedHandle<In = unknown, Result = Instance<In>, Output = unknown>
  extends Handle<In, Result, Output> {
  /** False when the key was already active. The handle then refers to the active instance. */
  readonly started: boolean;
}

/** A start that was validated. Nothing is written yet. */
interface PreparedStart {
  readonly workflow: Workflow;
  readonly prepared: Prepared;
}

const mostTries = 5;
const undoes =
  "the instance with this key undoes what its steps have done. Start again once it has ended";

/** Starts an instance, or handles the conflict as `onConflict` says. */
export async function start(
  client: Client,
  target: AnyWorkflow,
  { key, input }: Pick<StartItem, "key" | "input">,
  options: StartOptions,
): Promise<Handle> {
  checkNames("start an instance", options, startNames);
  const { tx, version, onConflict = "reject", tags, metadata } = options;
  if (!["reject", "return", "replace"].includes(onConflict)) {
    throw new TypeError(
      `Cannot start an instance: onConflict must be "reject", "return" or "replace", not ${
        typeof onConflict === "string" ? `"${onConflict}"` : typeof onConflict
      }`,
    );
  }
  const item = { key, input, tags, metadata };
  const ready = await check(client, target, version, item);
  await client.runtime.graphs.admit([ready.workflow], tx !== undefined);
  let seen: Instance | undefined;
  for (let tries = 0; tries < mostTries; tries++) {
    const { state } = ready.prepared;
    if ((await insert(client, [ready], tx)).has(state.id)) return client.handle(state, true);
    const running = await conflicting(client, ready, tx);
    // The active instance has ended since, so the key is free.
    if (running === undefined) continue;
    if (onConflict === "return") return client.handle(running, false);
    if (onConflict === "reject") throw new AlreadyRunningError(running);
    const sentence = "The instance was replaced by a new start";
    const { status } = await endInstance(client, running, sentence, tx);
    if (status === "undoing") throw new AlreadyRunningError({ ...running, status, why: undoes });
    seen = running;
  }
  throw keyTaken(ready, seen);
}

/** Starts many instances in one statement. Skips items whose key is active. */
export async function startMany(
  client: Client,
  target: AnyWorkflow,
  items: readonly StartItem[],
  options: StartManyOptions,
): Promise<readonly StartedHandle[]> {
  checkNames("start instances", options, startManyNames);
  if (!Array.isArray(items) || !items.every((item) => typeof item === "object" && item !== null)) {
    throw new TypeError("Cannot start instances: they are not an array of objects");
  }
  const { tx, version } = options;
  // All items are read before anything is awaited, so that later changes by the caller have no
  // effect.
  // deno-lint-ignore require-await -- it turns a throw into a rejection, for Promise.all
  const ready = await Promise.all(items.map(async (item) => check(client, target, version, item)));
  await client.runtime.graphs.admit(ready.map(({ workflow }) => workflow), tx !== undefined);
  const inserted = ready.length > 0 ? await insert(client, ready, tx) : new Map();
  const handles: StartedHandle[] = [];
  for (const one of ready) {
    const { state } = one.prepared;
    const started = inserted.has(state.id);
    const running = started ? state : await conflicting(client, one, tx);
    if (running !== undefined) handles.push(manyHandle(client, running, started));
    else handles.push(await startAgain(client, one, tx));
  }
  return handles;
}

function manyHandle(
  client: Client,
  of: Prepared["state"] | Instance,
  started: boolean,
): StartedHandle {
  return Object.assign(client.handle(of, started), { started });
}

/** Starts an instance whose key was active a moment ago and no longer is. */
async function startAgain(
  client: Client,
  ready: PreparedStart,
  tx: AnyTransaction | undefined,
): Promise<StartedHandle> {
  for (let tries = 0; tries < mostTries; tries++) {
    const { state } = ready.prepared;
    const started = (await insert(client, [ready], tx)).has(state.id);
    const running = started ? state : await conflicting(client, ready, tx);
    if (running !== undefined) return manyHandle(client, running, started);
  }
  throw keyTaken(ready);
}

function keyTaken({ prepared: { state } }: PreparedStart, seen?: Instance): AlreadyRunningError {
  const { workflow, key } = state;
  const { id = "", status = "running" } = seen ?? {};
  const why = "other callers keep starting instances with the same key";
  return new AlreadyRunningError({ workflow, key, id, status, why });
}

function check(
  { runtime }: Client,
  target: AnyWorkflow,
  version: number | undefined,
  { key, input, tags, metadata }: StartItem,
): PreparedStart | Promise<PreparedStart> {
  const more = { ...(tags && { tags }), ...(metadata && { metadata }) };
  const given = { key: bareKey(target, key), input, ...more };
  const workflow = resolve(target, version, given);
  return andThen(prepare(runtime, workflow, given), (prepared) => ({ workflow, prepared }));
}

/**
 * Inserts instances in one statement. Their first jobs run here as far as slots are free. Returns
 * the ids that were inserted now or by an earlier attempt.
 */
async function insert(
  { runtime, workers, waiters }: Client,
  ready: readonly PreparedStart[],
  tx: AnyTransaction | undefined,
): Promise<Written> {
  const worker = tx === undefined && runtime.inline ? local(workers, ready, runtime) : undefined;
  const turns = ready.map(({ prepared }) => prepared.starting);
  using slots = worker?.slots.hold();
  const place = await placement(runtime, turns, (queue) => slots?.take(queue) === true);
  const process = worker?.process;
  const opening = ready.map(({ workflow, prepared }) => {
    const target = { workflow, instance: prepared.state.id };
    return instanceOf(prepared, jobsOf(runtime, target, prepared.starting, place));
  });
  const opened = await runtime.backend.store.open(process, opening, tx);
  ready.forEach(({ workflow, prepared: { state, starting, error, failedIn } }, index) => {
    const insertedAt = opened.get(state.id);
    if (insertedAt === undefined) return;
    const now = { ...state, insertedAt };
    if (slots !== undefined) worker?.adopt(process!, now, opening[index]!.started, slots);
    if (error) logFailure(runtime.logger, state, { step: failedIn, attempts: 1, error });
    // The caller's transaction is still open and may never commit.
    if (tx !== undefined) return;
    emitStart(runtime.telemetry, now, workflow, starting, error);
    if (isFinal(now.status)) waiters.notify(now.id);
  });
  return opened;
}

function local(
  workers: ReadonlySet<WorkerProcess>,
  ready: readonly PreparedStart[],
  { registry }: Client["runtime"],
): WorkerProcess | undefined {
  const isRegistered = ({ workflow: { name, version } }: PreparedStart) =>
    registry.find(name, version) !== undefined;
  if (!ready.every(isRegistered)) return undefined;
  return [...workers].find(({ accepting, process }) => accepting && process !== "");
}

async function conflicting(
  { runtime }: Client,
  { prepared: { uniqueKey } }: PreparedStart,
  tx: AnyTransaction | undefined,
): Promise<Instance | undefined> {
  if (uniqueKey === undefined) return undefined;
  const [running] = await runtime.backend.store.list({ uniqueKey, limit: 1 }, tx);
  return running;
}
