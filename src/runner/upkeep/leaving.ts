import type { Lease, Queue } from "../../backend/queue.ts";

/**
 * Leaves, and gives back what is left: without using up an attempt, but for those that are
 * `counted`.
 */
export async function leave(
  queue: Queue,
  process: string,
  lease: number,
  counted: readonly Lease[],
): Promise<void> {
  if (counted.length > 0) await queue.release(counted, { counted: true });
  const beat = await queue.heartbeat(process, lease);
  if (beat && beat.owned.length > 0) await queue.release(beat.owned);
  await queue.unregister(process);
}
