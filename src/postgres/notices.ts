import type { NewJob } from "../queue/job.ts";
import type { Turn } from "../store/turn.ts";

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

/** Queue names as the payload of a notification: they may contain commas. */
export function wakePayload(queues: Iterable<string>): string {
  return [...new Set(queues)].sort().map(encodeURIComponent).join(",");
}

// A payload must stay below 8,000 bytes, and an id takes 37.
const mostIds = 200;

/** Instances that a process has ended, as the payload of a notification: "*" when they are too many to be named. */
export function endedPayload(process: string, instances: readonly string[]): string {
  if (instances.length === 0) return "";
  return `${process};${instances.length > mostIds ? "*" : instances.join(",")}`;
}

/** Reads such a payload; without a process somebody else has ended the instance, or it is not known who. */
export function readEnded(
  payload: string,
): { readonly instances: readonly string[]; readonly by: string | undefined } {
  const at = payload.indexOf(";");
  const ids = payload.slice(at + 1);
  return {
    instances: ids === "*" ? [] : ids.split(","),
    by: at < 0 ? undefined : payload.slice(0, at),
  };
}
