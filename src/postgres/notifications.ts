import type { NewJob } from "../backend/job.ts";
import type { Turn } from "../backend/turn.ts";

/** The channels of a schema, to be put between single quotes. */
export interface Channels {
  readonly jobs: string;
  readonly ended: string;
}

/** The queues that get work which another process may claim, as the payload of a notification. */
export function queuesToWake(
  turns: readonly Pick<Turn, "wake">[],
  started: readonly NewJob[],
): string {
  const queues = new Set<string>();
  for (const { wake } of turns) if (wake) queues.add(wake.queue);
  for (const job of started) if (!job.owned && job.delay <= 0) queues.add(job.queue);
  return wakePayload(queues);
}

// PostgreSQL refuses a payload of 8,000 bytes, and with it the whole statement. Ours are ASCII: a
// character is a byte.
const mostBytes = 7_999;

/** What a payload says instead of names when they would take too much. */
const anything = "*";

/** Queue names as the payload of a notification: they may contain commas. */
export function wakePayload(queues: Iterable<string>): string {
  return bounded([...new Set(queues)].sort().map(encodeURIComponent).join(","));
}

/** Reads such a payload: none when anything may have got work. */
export function readQueues(payload: string): readonly string[] {
  if (payload === anything) return [];
  try {
    return payload.split(",").map(decodeURIComponent);
  } catch {
    // Whoever may connect may notify.
    return [];
  }
}

/** Instances that a process, or a caller, has ended, as the payload of a notification. */
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
 * Reads such a payload; without a process somebody else has ended the instance, or it is not known
 * who.
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
