import { type MemoryBackend, memoryBackend } from "../memory/backend.ts";
import type { Clock } from "../memory/clock.ts";

/**
 * Keeps workflows in memory, for tests and for trying things out.
 *
 * It meets the same contract as PostgreSQL does, without a database: one process, nothing survives it, and a transaction of
 * the caller's cannot be joined.
 *
 * @param options `clock` is where the time comes from; the system's unless told.
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
export function memory(options: { readonly clock?: Clock } = {}): MemoryBackend {
  return memoryBackend(options);
}
