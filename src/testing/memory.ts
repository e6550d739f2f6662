import { type MemoryBackend, memoryBackend, type MemoryOptions } from "../memory/backend.ts";

/**
 * Keeps workflows in memory, for tests and for trying things out.
 *
 * It meets the same contract as PostgreSQL does, without a database: one process, nothing survives
 * it, and a transaction of the caller's cannot be joined.
 *
 * What a step writes through the `sql` that is handed over does not commit with its result: that is
 * in memory, and has no part in a transaction of a database.
 *
 * @example Nothing is there at first
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
