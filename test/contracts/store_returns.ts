import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import type { InstanceStatus } from "../../src/core/engine/instance.ts";
import { activeIn, type It, recorded, type Scene, turn } from "./world.ts";

const shipped = `{"active":{},"returned":["shipped","ship",2]}`;

/** An instance that has ended, with two results of one step. */
async function ended(scene: Scene, control: string, status: InstanceStatus = "completed") {
  const process = await scene.register();
  const id = await scene.open({ control: activeIn("ship") }, { step: "ship" });
  await scene.store.commit(process, [
    turn(id, {
      control: activeIn("ship"),
      recorded: [recorded("ship", { output: `"first"` })],
    }),
  ]);
  await scene.store.commit(process, [
    turn(id, {
      revision: 2,
      status,
      control,
      recorded: [recorded("ship", { activation: 2, output: `{"label":"second"}` })],
    }),
  ]);
  return id;
}

export function returns(it: It): void {
  describe("what an instance has returned", () => {
    it("is read with the instance, where it is asked for", async (scene) => {
      const id = await ended(scene, shipped);
      const of = { ids: [id], limit: 1 };

      const [found] = await scene.store.list({ ...of, withOutputs: true });
      const [bare] = await scene.store.list(of);

      assertEquals(found, { ...bare!, outcome: "shipped", output: { label: "second" } });
      assertEquals([bare!.status, Object.keys(bare!).includes("outcome")], ["completed", false]);
      assertEquals((await scene.store.read([id]))[0]?.control.returned, {
        outcome: "shipped",
        step: "ship",
        activation: 2,
      });
    });

    it("has no output where its event has none", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("ship") }, { step: "ship" });
      const control = `{"active":{},"returned":["gone","ship",1]}`;
      const last = { status: "completed", control, recorded: [recorded("ship")] } as const;
      await scene.store.commit(process, [turn(id, last)]);

      const [found] = await scene.store.list({ ids: [id], limit: 1, withOutputs: true });

      assertEquals([found?.outcome, found?.output], ["gone", undefined]);
    });

    it("is nothing without an outcome, before the end, and where it has failed", async (scene) => {
      const ids = [
        await ended(scene, `{"active":{}}`),
        await ended(scene, shipped, "running"),
        await ended(scene, shipped, "failed"),
      ];

      const found = await scene.store.list({ ids, limit: 3, withOutputs: true });

      assertEquals(found.map((one) => "outcome" in one || "output" in one), [false, false, false]);
    });
  });
}
