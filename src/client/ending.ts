import { HephaestusError } from "../core/errors/errors.ts";
import { failure } from "../core/value/failure.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { tellEnd } from "../runner/observe.ts";
import { endingOf } from "../runner/run/verdict.ts";
import type { EndResult, InstanceState } from "../backend/store.ts";
import type { Client } from "./client.ts";

/**
 * Cancels an instance with its jobs, aborts the steps that run for it here, and tells whoever waits
 * or listens.
 */
export async function endInstance(
  client: Client,
  instance: Instance,
  sentence: string,
  tx: AnyTransaction | undefined,
): Promise<EndResult> {
  const why = new HephaestusError("CANCELLED", sentence);
  const decide = (known: InstanceState) =>
    isFinal(known.status) ? undefined : endingOf(known, "cancelled", failure(why));
  const ended = await client.runtime.backend.store.end(instance.id, decide, { tx });
  // In the caller's transaction nothing has happened yet, and may never: the heartbeat aborts what
  // runs once it has.
  if (tx === undefined && ended.kind === "ended") tellStop(client, instance, why, ended.at);
  return ended;
}

/**
 * Aborts the steps that run here for an instance that was stopped, and tells whoever waits or
 * listens.
 */
export function tellStop(
  { runtime, workers, waiters }: Client,
  instance: Instance,
  why: HephaestusError,
  at: Date,
): void {
  for (const worker of workers) worker.abort(instance.id, why);
  waiters.tell(instance.id);
  tellEnd(runtime.telemetry, instance, { status: "cancelled", error: undefined, at });
}
