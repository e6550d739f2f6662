import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { activeIn, type It, leaseOf, recorded, turn } from "./world.ts";

const item = (activation: number) => recorded("render[]", { activation, output: `${activation}` });

export function items(it: It): void {
  describe("the items of a list", () => {
    it("are read by their numbers, in their order, once they are applied", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("render") });
      const other = await scene.open({ control: activeIn("render") });
      await scene.store.commit(process, [
        turn(id, { recorded: [10, 9, 2, 1].map(item) }),
        turn(other, { recorded: [item(3)] }),
      ]);

      const found = await scene.store.endedBetween(id, "render[]", 2, 10);

      assertEquals(found.map(({ activation, output }) => [activation, output]), [
        ...[[2, 2], [9, 9], [10, 10]],
      ]);
      assertEquals(await scene.store.endedBetween(id, "render", 1, 100), []);
    });

    it("lose their jobs where their list is withdrawn, and no others do", async (scene) => {
      const [process, other] = [await scene.register(), await scene.register()];
      const id = await scene.open(
        { control: activeIn("render", "print") },
        { step: "render[]", activation: 4 },
        { step: "render[]", activation: 7 },
        { step: "print[]", activation: 4 },
        { step: "render" },
      );
      const neighbour = await scene.open({ control: activeIn("render") }, { step: "render[]" });
      const job = await scene.claimOne(other);
      assertEquals([job.step, job.activation], ["render[]", 4]);

      await scene.store.commit(process, [turn(id, { emptied: ["render[]"] })]);

      const left = (await scene.jobs()).map(({ step, instance }) => [step, instance]);
      assertEquals(left, [["print[]", id], ["render", id], ["render[]", neighbour]]);
      assertEquals(await scene.queue.retry(leaseOf(job, other), [], 0), false);
    });

    it("are counted by a row beside the end of their step, at a start too", async (scene) => {
      const process = await scene.register();
      const begun = recorded("render", { waits: true, event: "__items__", output: "3" });
      const ended = recorded("render", { event: "finished" });
      const id = await scene.open({ control: activeIn(), recorded: [begun, ended] });
      const later = await scene.open({ control: activeIn("render") });
      await scene.store.commit(process, [turn(later, { recorded: [begun, ended] })]);

      for (const one of [id, later]) {
        const history = await scene.store.history(one);
        assertEquals(history.map(({ step, event, output }) => [step, event, output]), [
          ["render", "__items__", 3],
          ["render", "finished", undefined],
        ]);
      }
    });
  });
}
