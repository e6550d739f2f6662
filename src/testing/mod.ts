/**
 * Runs workflows without a database, on a clock that the test controls.
 *
 * @example Keep everything in memory and control the time
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fakeClock, memory } from "@hephaestus/workflow/testing";
 *
 * const clock = fakeClock();
 * await using backend = memory({ clock });
 * clock.advance("1d");
 *
 * assertEquals(backend.clock.now(), clock.now());
 * ```
 *
 * @module
 */

export type { Backend, MemoryBackend, MemoryOptions } from "../memory/backend.ts";
export type { Clock, StoredJob, Waiting } from "../memory/clock.ts";
export type { Sql } from "../core/define/context.ts";
export type { JobState } from "../backend/job.ts";
export { type FakeClock, fakeClock } from "./clock.ts";
export { drain } from "./drain.ts";
export { memory } from "./memory.ts";
export { type Road, simulate, type SimulateOptions, type Simulation } from "./simulate.ts";
