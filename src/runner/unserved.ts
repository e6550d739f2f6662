import type { Parts } from "./parts.ts";

/** Tells the log of due jobs that this process has no code for: once, and again when they had gone and come back. */
export class UnservedJobs {
  #told: ReadonlySet<string> = new Set();

  async look({ backend, registry, logger }: Parts): Promise<void> {
    const seen = new Set<string>();
    for (const { workflow, version, count } of await backend.queue.unserved(registry.served())) {
      const sentence =
        `Jobs of workflow "${workflow}" version ${version} are due, and this process has no code for them`;
      seen.add(sentence);
      if (!this.#told.has(sentence)) logger.warn(sentence, { count });
    }
    this.#told = seen;
  }
}
