import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { delivery, type It, recorded, turn } from "./world.ts";

const undoing = `{"active":{"book":"","call":""},"undo":{"status":"undone","step":"charge"}}`;
const over = `{"active":{},"undo":{"status":"undone","step":"charge"}}`;

export function undos(it: It): void {
  describe("an instance that undoes", () => {
    it("keeps its key, and gives it back at its end", async (scene) => {
      const process = await scene.register();
      const one = scene.instance({ uniqueKey: "order/a" });
      const other = scene.instance({ uniqueKey: "order/a" });
      await scene.store.open(undefined, [one]);
      await scene.store.commit(process, [turn(one.id, { status: "undoing", control: undoing })]);

      assertEquals([...(await scene.store.open(undefined, [other])).keys()], []);
      assertEquals((await scene.store.list({ uniqueKey: "order/a", limit: 1 }))[0]?.id, one.id);
      const [state] = await scene.store.read([one.id]);
      assertEquals([state?.status, state?.control.undo?.step], ["undoing", "charge"]);

      await scene.store.commit(process, [
        turn(one.id, { revision: 2, status: "undone", control: over }),
      ]);
      const [end] = await scene.store.list({ ids: [one.id], limit: 1 });
      assertEquals([end?.status, end?.finishedAt === undefined], ["undone", false]);
      assertEquals([...(await scene.store.open(undefined, [other])).keys()], [other.id]);
    });

    it("keeps the jobs that it does not withdraw, and leaves none at its end", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: undoing }, { step: "book" }, { step: "paid" });

      await scene.store.commit(process, [
        turn(id, {
          status: "undoing",
          control: undoing,
          recorded: [recorded("paid", { event: "__dropped__", causes: [""] })],
          resolved: [{ step: "paid", activation: 1 }],
        }),
      ]);
      assertEquals(await scene.standing(id), ["execute book available"]);

      await scene.store.commit(process, [
        turn(id, { revision: 2, status: "undone", control: over }),
      ]);
      assertEquals(await scene.standing(id), []);
    });

    it("accepts a delivery only for what it lets end", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: undoing });
      await scene.store.commit(process, [turn(id, { status: "undoing", control: undoing })]);

      assertEquals(await scene.store.deliver(delivery(id, "paid")), { kind: "undoing" });
      assertEquals(await scene.store.deliver(delivery(id, "call")), { kind: "accepted" });
      assertEquals((await scene.store.unprocessed([id])).map(({ step }) => step), ["call"]);
    });
  });
}
