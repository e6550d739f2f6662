import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { decodeControl } from "../../src/core/engine/control.ts";
import { delivery, type It, leaseOf, recorded, recording, turn } from "./world.ts";

const running = '{"active":{"parcel":"@2"}}';

/** Two runnings of one step are two things: in results, jobs, deliveries and outputs. */
export function activations(it: It): void {
  describe("activations", () => {
    it("are kept in the control and read back", async (scene) => {
      const id = await scene.open({ control: running });

      const { control } = await scene.known(id);

      assertEquals([...control.active], [["parcel", { activation: 2, cause: "" }]]);
      assertEquals(decodeControl(running).active, control.active);
    });

    it("have a result each, and a word each that they wait", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: running });
      const row = (activation: number, waits: boolean) =>
        recorded("parcel", { activation, waits, event: waits ? "__async__" : "arrived" });

      await scene.store.commit(process, [
        turn(id, { recorded: [row(1, true), row(1, false), row(2, true)] }),
      ]);

      const history = await scene.store.history(id);
      assertEquals(history.map(({ activation, event }) => [activation, event]), [
        [1, "__async__"],
        [1, "arrived"],
        [2, "__async__"],
      ]);
      const both = [{ step: "parcel", activation: 1 }, { step: "parcel", activation: 2 }];
      const ended = await scene.store.ended(id, both);
      assertEquals(ended.map(({ step, activation }) => [step, activation]), [["parcel", 1]]);
    });

    it("take a delivery for the one that is active", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: running });
      const first = recorded("parcel", { activation: 1, event: "arrived" });
      await scene.store.commit(process, [turn(id, { control: running, recorded: [first] })]);

      const given = delivery(id, "parcel", { activation: undefined, event: "arrived" });
      assertEquals(await scene.store.deliver(given), { kind: "accepted" });
      assertEquals(await scene.store.deliver(given), { kind: "accepted" });
      const second = delivery(id, "parcel", { activation: undefined, event: "arrived" });
      assertEquals(await scene.store.deliver(second), { kind: "duplicate" });

      const [unread] = await scene.store.unprocessed([id]);
      assertEquals([unread?.step, unread?.activation, unread?.waits], ["parcel", 2, false]);
    });

    it("take no delivery any more that were over before", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: running });
      const control = '{"active":{"ship":"parcel#2"},"activations":{"parcel":2}}';
      const ended = recorded("parcel", { activation: 2, event: "arrived" });
      await scene.store.commit(process, [turn(id, { control, recorded: [ended] })]);

      const late = delivery(id, "parcel", { activation: undefined, event: "arrived" });

      assertEquals(await scene.store.deliver(late), { kind: "over", event: "arrived" });
    });

    it("take a delivery for the round that a loop is in, and the same one only once", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: '{"active":{"ship":""},"rounds":{"ship":[2,2]}}' });
      const loops = ["ship", "elsewhere"];
      const part = { activation: undefined, loops, event: "arrived" };
      const given = delivery(id, "parcel", part);
      assertEquals(await scene.store.deliver(given), { kind: "early" });
      assertEquals((await scene.store.unprocessed([id]))[0]?.activation, 3);

      const control = '{"active":{"ship":""},"rounds":{"ship":[3,3]}}';
      await scene.store.commit(process, [turn(id, { control })]);

      assertEquals(await scene.store.deliver(given), { kind: "early" });
      assertEquals((await scene.store.unprocessed([id])).length, 1);
      assertEquals(await scene.store.deliver(delivery(id, "parcel", part)), { kind: "early" });
      assertEquals(
        (await scene.store.unprocessed([id])).map(({ activation }) => activation).sort(),
        [3, 4],
      );
    });

    it("take no delivery that names an earlier round", async (scene) => {
      const id = await scene.open({
        control: '{"active":{"parcel":"ship@3"},"rounds":{"ship":[2,2]}}',
      });
      const deliver = (activation: number) =>
        scene.store.deliver(delivery(id, "parcel", { activation, loops: ["ship"] }));

      assertEquals(await deliver(2), { kind: "duplicate" });
      assertEquals((await scene.store.unprocessed([id])).length, 0);
      assertEquals(await deliver(3), { kind: "accepted" });
      assertEquals(await deliver(4), { kind: "early" });
    });

    it("are handed to the process that claims their job", async (scene) => {
      const process = await scene.register();
      await scene.open({ control: running }, { step: "parcel", activation: 2 });

      assertEquals((await scene.claimOne(process)).activation, 2);
    });

    it("are handed over in the row of the job before", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);
      const reused = scene.job({
        ...{ id: job.id, instance: id, owned: true },
        ...{ step: "parcel", activation: 2 },
      });

      await scene.store.commit(process, [turn(id, { control: running, reused })]);

      await scene.queue.release([{ process, id: job.id, token: job.token + 1 }]);
      const claimed = await scene.claimOne(process);
      assertEquals([claimed.step, claimed.activation], ["parcel", 2]);
    });

    it("lose the timer of a wait that has ended, and no other's", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: running });
      const timer = { instance: id, kind: "resume", step: "parcel", delay: 1_000 };
      await scene.enqueue({ ...timer, activation: 1 }, { ...timer, activation: 2 });

      const resolved = [{ step: "parcel", activation: 1 }];
      await scene.store.commit(process, [turn(id, { control: running, resolved })]);

      await scene.elapse(1_000);
      await scene.queue.stage(10);
      const [left, ...none] = await scene.claim(process);
      assertEquals([left?.activation, none], [2, []]);
    });

    it("are recorded and passed apart", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: running }, { step: "parcel", activation: 2 }, {});
      const job = await scene.claimOne(process);

      assertEquals(
        (await scene.store.record([recording(job, process, { activation: 2 })])).size,
        1,
      );
      const pass = async (activation: number) => {
        const advance = (await scene.claim(process)).find(({ kind }) => kind === "advance")!;
        const ignored = [{ step: "parcel", activation, waits: false }];
        await scene.store.pass([{ lease: leaseOf(advance, process), instance: id, ignored }]);
        return (await scene.store.unprocessed([id])).map(({ step }) => step);
      };
      assertEquals(await pass(1), ["parcel"]);
      await scene.store.deliver(delivery(id, "approval"));
      assertEquals(await pass(2), ["approval"]);
    });
  });
}
