import type { JobId } from "../backend/job.ts";
import type { Queue } from "../backend/queue.ts";

/**
 * Hands out job ids from blocks that the queue has reserved, so that a job's id is known before the
 * job is inserted.
 */
export class JobIds {
  readonly #queue: Pick<Queue, "reserveIds">;
  #next = 0;
  #end = 0;
  #reserving: Promise<void> = Promise.resolve();

  constructor(queue: Pick<Queue, "reserveIds">) {
    this.#queue = queue;
  }

  /** Takes `count` ids. */
  async take(count: number): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    while (ids.length < count) {
      if (this.#next === this.#end) await this.#reserve();
      while (ids.length < count && this.#next < this.#end) ids.push(String(this.#next++));
    }
    return ids;
  }

  #reserve(): Promise<void> {
    this.#reserving = this.#reserving.catch(() => {}).then(async () => {
      if (this.#next < this.#end) return;
      const { from, to } = await this.#queue.reserveIds();
      this.#next = from;
      this.#end = to;
    });
    return this.#reserving;
  }
}
