import type { MemoryBackend } from "../memory/backend.ts";
import { untilNothingIsDue } from "./due.ts";

/**
 * Waits until no job of a memory backend is due: none is available or executing, and all scheduled
 * jobs lie in the future of its clock.
 *
 * @param options `patience` is how many milliseconds to wait at most. Default: 10,000.
 * @throws {Error} When jobs are still due after that, for instance because no worker is running.
 *
 * @example Run a one-day timer without waiting
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { done, Hephaestus, timer, type, workflow } from "@hephaestus/workflow";
 * import { drain, fakeClock, memory } from "@hephaestus/workflow/testing";
 *
 * const sleep = timer("sleep", "1d");
 * const nap = workflow("nap", { key: "who", input: type(), start: sleep })
 *   .on(sleep, { elapsed: done })
 *   .build();
 * const clock = fakeClock();
 * const backend = memory({ clock });
 * await using hephaestus = new Hephaestus({ backend, workflows: [nap] });
 * await using _worker = hephaestus.work();
 * await hephaestus.start(nap, "ada", undefined);
 *
 * clock.advance("1d");
 * await drain(backend);
 *
 * assertEquals((await hephaestus.get(nap, "ada"))?.status, "completed");
 * ```
 */
export async function drain(
  backend: MemoryBackend,
  { patience = 10_000 }: { readonly patience?: number } = {},
): Promise<void> {
  await untilNothingIsDue(backend, () => backend.clock.now(), patience);
}
