import type { MemoryBackend, StoredJob } from "../memory/backend.ts";

/**
 * Waits until no job of a memory backend is due: nothing is available, nothing executes, and what is scheduled lies in
 * the future of its clock.
 *
 * @param options `patience` is how many milliseconds it waits at most; 10,000 unless told.
 * @throws {Error} When jobs are still due after that, for instance because nobody works.
 *
 * @example A timer of a day, in no time
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
  const end = performance.now() + patience;
  for (let due = dueIn(backend); due.length > 0; due = dueIn(backend)) {
    if (performance.now() > end) {
      const steps = [...new Set(due.map(({ kind, step }) => step ?? kind))].join(", ");
      throw new Error(
        `Cannot drain the backend: ${due.length} jobs are still due after ${patience} ms: ${steps}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function dueIn(backend: MemoryBackend): readonly StoredJob[] {
  const now = backend.clock.now();
  return backend.jobs().filter(({ state, scheduledAt }) =>
    state === "available" || state === "executing" ||
    ((state === "scheduled" || state === "retryable") && scheduledAt.getTime() <= now)
  );
}
