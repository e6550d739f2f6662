import { type MemoryBackend, memoryBackend, type MemoryOptions } from "../memory/backend.ts";

/**
 * Creates a backend that keeps workflows in memory, for tests and experiments.
 *
 * It meets the same contract as PostgreSQL, without a database. It works within one process, loses
 * its data when the process exits, and cannot join a caller's transaction.
 *
 * What a step writes through the `sql` option does not commit together with its result: the result
 * is in memory and not part of a database transaction.
 *
 * @example Create an empty backend
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memory } from "@hephaestus/workflow/testing";
 *
 * await using backend = memory();
 *
 * assertEquals(backend.jobs(), []);
 * ```
 */
export function memory(options: MemoryOptions = {}): MemoryBackend {
  return memoryBackend(options);
}
