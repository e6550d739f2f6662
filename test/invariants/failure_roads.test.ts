import { assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import { onBackends } from "./backends.ts";

let runs = 0;
const poison = step("poison", {
  events: { ok: type() },
  retry: { attempts: 2, base: "1ms", max: "5ms" },
  run({ emit }) {
    runs++;
    return emit.ok();
  },
});
const told = step("told", {
  needs: [poison.when("failed")],
  events: { ok: type<string | undefined>() },
  run: ({ steps, emit }) => emit.ok(steps.poison.code),
});
const handled = workflow("handled", { key: "id", input: type(), start: poison })
  .on(poison, { ok: done, failed: told })
  .on(told, { ok: done })
  .build();

onBackends("a step that kills its process and has a road for failed", (it) => {
  it("continues there when its attempts are used up, with the code DISCARDED", {
    workflows: [handled],
  }, async ({ hephaestus, work, scene }) => {
    runs = 0;
    const handle = await hephaestus.start(handled, "a", undefined);
    for (const attempt of [1, 2]) {
      const victim = await scene.register(1_000);
      const serves = [{ workflow: "handled", version: 1 }];
      const claimed = await scene.claim(victim, { serves });
      assertEquals(claimed.map((job) => job.attempt), [attempt]);
      await scene.elapse(2_000);
      assertEquals((await scene.queue.rescue()).processes, [victim]);
    }

    await work();
    const end = await handle.result();

    assertEquals([end.status, runs], ["completed", 0]);
    const [entry, next] = await hephaestus.history(handled, { id: end.id });
    assertEquals([entry?.event, entry?.attempts, next?.output], ["failed", 2, "DISCARDED"]);
    assertEquals(await scene.standing(end.id), []);
  });
});
