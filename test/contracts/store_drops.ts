import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { activeIn, delivery, type It, leaseOf, recorded, recording, turn } from "./world.ts";

const dropped = (step: string, activation = 1) =>
  recorded(step, { event: "__dropped__", activation, causes: ["click"] });

export function drops(it: It): void {
  describe("a turn that drops a branch", () => {
    it("deletes its jobs, running ones too, and says so in the history", async (scene) => {
      const [process, other] = [await scene.register(), await scene.register()];
      const id = await scene.open({ control: activeIn("click", "remind") }, { step: "remind" });
      const job = await scene.claimOne(other);

      await scene.store.commit(process, [
        turn(id, {
          recorded: [recorded("click"), dropped("remind")],
          resolved: [{ step: "remind", activation: 1 }],
        }),
      ]);

      assertEquals(await scene.standing(id), []);
      const kept = await scene.store.record([recording(job, other, { step: "remind" })]);
      assertEquals([...kept], []);
      assertEquals(await scene.queue.retry(leaseOf(job, other), [], 0), false);
      const history = await scene.store.history(id);
      assertEquals(history.map(({ step, event, state }) => [step, event, state]), [
        ["click", "ok", "applied"],
        ["remind", "__dropped__", "applied"],
      ]);
    });

    it("lets a delivery stand that has come first, and is written all the same", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("click", "boss") });
      await scene.store.deliver(delivery(id, "boss"));

      const written = await scene.store.commit(process, [
        turn(id, { recorded: [recorded("click"), dropped("boss")] }),
      ]);

      assertEquals([...written.keys()], [id]);
      const history = await scene.store.history(id);
      assertEquals(history.map(({ step, event, state }) => [step, event, state]), [
        ["click", "ok", "applied"],
        ["boss", "approved", "pending"],
      ]);
    });

    it("answers a delivery to a wait that has not begun and will not", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("click", "patience") });
      const control = '{"active":{"pack":""},"dropped":["patience"]}';
      const before = delivery(id, "early", { branches: ["patience"] });
      assertEquals(await scene.store.deliver(before), { kind: "early" });
      await scene.store.commit(process, [turn(id, { control })]);

      const to = (step: string, branches: readonly string[]) =>
        scene.store.deliver(delivery(id, step, { branches }));

      assertEquals(await to("boss", ["other", "patience"]), { kind: "over", event: "__dropped__" });
      assertEquals(await to("boss", ["other"]), { kind: "early" });
      assertEquals(await to("pack", ["patience"]), { kind: "accepted" });
      assertEquals(await scene.store.deliver(before), { kind: "early" });
    });

    it("answers a delivery that comes after it", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("click", "boss") });
      await scene.store.commit(process, [
        turn(id, { recorded: [recorded("click"), dropped("boss")] }),
      ]);

      const answer = await scene.store.deliver(delivery(id, "boss"));

      assertEquals(answer, { kind: "over", event: "__dropped__" });
    });
  });
}
