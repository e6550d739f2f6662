import { assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import { onBackends } from "./backends.ts";
import { dieInEachAttempt, poison, runs } from "./poison.ts";

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
  }, async (bench) => {
    const { hephaestus, work, scene } = bench;
    const handle = await hephaestus.start(handled, "a", undefined);
    await dieInEachAttempt(bench, handled.name);

    await work();
    const end = await handle.result();

    assertEquals([end.status, runs], ["completed", []]);
    const [entry, next] = await hephaestus.history(handled, { id: end.id });
    assertEquals([entry?.event, entry?.attempts, next?.output], ["failed", 2, "DISCARDED"]);
    assertEquals(await scene.standing(end.id), []);
  });
});
