import { unservedNotices } from "../../backend/unserved.ts";
import type { Runtime } from "../runtime.ts";

/**
 * Tells the log of due jobs that no living process can take: once, and again when they had gone and
 * come back.
 */
export class UnservedJobs {
  #told: ReadonlySet<string> = new Set();

  async look({ backend, logger }: Runtime): Promise<void> {
    const notices = unservedNotices(await backend.queue.unserved());
    for (const { about, count, sentence } of notices) {
      if (!this.#told.has(about)) logger.warn(sentence, { count });
    }
    this.#told = new Set(notices.map(({ about }) => about));
  }
}
