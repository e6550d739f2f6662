import { AlreadyRunningError, HephaestusError } from "../core/errors.ts";
import { failure } from "../core/failure.ts";
import { activeStatuses, type Instance, isFinal } from "../core/instance.ts";
import type { JsonObject } from "../core/json.ts";
import { resolve } from "../core/version.ts";
import type { Workflow } from "../core/workflow.ts";
import type { AnyTransaction } from "../postgres/callers.ts";
import { identified } from "../runner/new_jobs.ts";
import { endingOf } from "../runner/verdicts.ts";
import type { Worker } from "../runner/worker.ts";
import type { Client } from "./client.ts";
import type { AnyWorkflow } from "./find.ts";
import type { Handle } from "./handle.ts";
import { prepare, type Prepared, takeSlots } from "./start.ts";

/** How an instance is started. */
export interface StartOptions {
  /** The version to start with, instead of what `pick` or `current` says. */
  readonly version?: number | undefined;
  /** What happens when the business key is active: an error, its handle, or its cancellation. Default `"reject"`. */
  readonly onConflict?: "reject" | "return" | "replace" | undefined;
  /** Tags beside those of the workflow. */
  readonly tags?: readonly string[] | undefined;
  /** Metadata beside that of the workflow; wins where both have a key. */
  readonly metadata?: JsonObject | undefined;
  /** The caller's own open transaction: the start commits with it, or not at all. */
  readonly tx?: AnyTransaction | undefined;
}

const mostTries = 5;

/** Starts an instance, or does what `onConflict` says. */
export async function start(
  client: Client,
  target: AnyWorkflow,
  key: string,
  input: unknown,
  options: StartOptions,
): Promise<Handle> {
  const { tags, metadata, tx, version, onConflict = "reject" } = options;
  const given = { key, ...(tags && { tags }), ...(metadata && { metadata }) };
  const workflow = resolve(target, version, { ...given, input });
  const prepared = await prepare(client.parts, workflow, { ...given, input });
  for (let tries = 0; tries < mostTries; tries++) {
    if (await insert(client, workflow, prepared, tx)) {
      client.parts.telemetry.emit("workflow:start", {
        instance: prepared.known.id,
        workflow: workflow.name,
        version: workflow.version,
        key: prepared.known.key,
        tags: prepared.known.tags,
      });
      return client.handle(prepared.known);
    }
    const running = await conflicting(client, workflow, prepared, tx);
    // It has ended since: the key is free.
    if (running === undefined) continue;
    if (onConflict === "return") return client.handle(running);
    if (onConflict === "reject") {
      throw new AlreadyRunningError({ ...running, workflow: workflow.name });
    }
    await replace(client, running, tx);
  }
  throw new HephaestusError(
    "ALREADY_RUNNING",
    `Cannot start workflow "${workflow.name}" "${prepared.known.key}": others started the key again and again`,
  );
}

async function insert(
  { parts, workers }: Client,
  workflow: Workflow,
  { instance, known, drafts }: Prepared,
  tx: AnyTransaction | undefined,
): Promise<boolean> {
  const worker = tx === undefined && parts.inline ? local(workers, workflow, parts) : undefined;
  const started = await identified(parts, takeSlots(drafts, worker?.slots));
  const status = started.some(({ owned }) => owned) ? "running" : instance.status;
  const opened = await parts.backend.store.open(
    worker?.process,
    [{ ...instance, status, started }],
    tx,
  );
  if (!opened.has(known.id)) {
    for (const { owned, queue } of started) if (owned) worker?.slots.release(queue);
    return false;
  }
  worker?.adopt({ ...known, status }, started);
  return true;
}

function local(
  workers: ReadonlySet<Worker>,
  workflow: Workflow,
  { registry }: Client["parts"],
): Worker | undefined {
  if (registry.find(workflow.name, workflow.version) === undefined) return undefined;
  return [...workers].find(({ accepting, process }) => accepting && process !== "");
}

async function conflicting(
  { parts }: Client,
  workflow: Workflow,
  { instance, known }: Prepared,
  tx: AnyTransaction | undefined,
): Promise<Instance | undefined> {
  if (instance.uniqueKey === undefined) return undefined;
  const [running] = await parts.backend.store.list({
    key: known.key,
    statuses: activeStatuses,
    ...(workflow.scope === "global" ? {} : { workflow: workflow.name }),
    ...(workflow.scope === "version" ? { version: workflow.version } : {}),
    limit: 1,
  }, tx);
  return running;
}

async function replace(
  client: Client,
  running: Instance,
  tx: AnyTransaction | undefined,
): Promise<void> {
  const reason = failure(
    new HephaestusError("CANCELLED", "The instance was replaced by a new start of its key"),
  );
  const { store } = client.parts.backend;
  const decide = (known: Parameters<typeof endingOf>[0]) =>
    isFinal(known.status) ? undefined : endingOf(known, "cancelled", reason);
  await store.end(running.id, decide, { tx });
  for (const worker of client.workers) {
    worker.abort(running.id, new HephaestusError("CANCELLED", reason.message));
  }
  client.finals.tell(running.id);
}
