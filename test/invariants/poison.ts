import { assertEquals } from "@std/assert";
import { step, type } from "../../mod.ts";
import type { Bench } from "./backends.ts";

/** How often the code of `poison` has run. */
export const runs: string[] = [];

/** A step with two attempts. */
export const poison = step("poison", {
  events: { ok: type() },
  retry: { attempts: 2, base: "1ms", max: "5ms" },
  run({ instance, emit }) {
    runs.push(instance.key);
    return emit.ok();
  },
});

/** Lets a process die in each of the two attempts of `poison`, before its code runs. */
export async function dieInEachAttempt({ scene }: Bench, workflow: string): Promise<void> {
  runs.length = 0;
  for (const attempt of [1, 2]) {
    const victim = await scene.register(1_000);
    const serves = [{ workflow, version: 1 }];
    const claimed = await scene.claim(victim, { serves });
    assertEquals(claimed.map((job) => job.attempt), [attempt]);
    await scene.elapse(2_000);
    assertEquals((await scene.queue.rescue()).processes, [victim]);
  }
}
