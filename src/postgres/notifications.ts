import type { NewJob } from "../backend/job.ts";
import type { Turn } from "../backend/turn.ts";

/** The channels of a schema, as contents of a string literal. */
export interface Channels {
  readonly jobs: string;
  readonly ended: string;
}

/** The payload that names the queues with new jobs that another process may claim. */
export function queuesToWake(
  turns: readonly Pick<Turn, "wake" | "others">[],
  started: readonly NewJob[],
): string {
  const queues = new Set<string>();
  for (const { wake, others } of turns) {
    if (wake) queues.add(wake.queue);
    for (const { queue } of others ?? []) queues.add(queue);
  }
  for (const job of started) if (!job.owned && job.delay <= 0) queues.add(job.queue);
  return wakePayload(queues);
}

// PostgreSQL rejects a payload of 8,000 bytes, and with it the whole statement. Ours are ASCII: one
// byte per character.
const mostBytes = 7_999;

/** The payload if the names would be too long. */
const anything = "*";

/** Queue names as the payload of a notification. Names may contain commas. */
export function wakePayload(queues: Iterable<string>): string {
  return bounded([...new Set(queues)].sort().map(encodeURIComponent).join(","));
}

/** Parses such a payload. An empty list means that any queue may have new work. */
export function readQueues(payload: string): readonly string[] {
  if (payload === anything) return [];
  try {
    return payload.split(",").map(decodeURIComponent);
  } catch {
    // Any role that may connect may send notifications.
    return [];
  }
}

/** The payload that names the instances that a process, or a caller, has ended. */
export function endedPayload(
  process: string | undefined,
  instances: readonly string[],
): string {
  if (instances.length === 0) return "";
  const before = process === undefined ? "" : `${process};`;
  return before + bounded(instances.join(","), mostBytes - before.length);
}

function bounded(payload: string, most = mostBytes): string {
  return payload.length > most ? anything : payload;
}

/**
 * Parses such a payload. Without a process, the instance was ended by a caller or the origin is
 * unknown.
 */
export function readEnded(
  payload: string,
): { readonly instances: readonly string[]; readonly by: string | undefined } {
  const at = payload.indexOf(";");
  const ids = payload.slice(at + 1);
  return {
    instances: ids === anything ? [] : ids.split(","),
    by: at < 0 ? undefined : payload.slice(0, at),
  };
}
