import { activeIn, delivery, type It, newId, recorded, recording, turn } from "./world.ts";
import { describe } from "node:test";
import { assertEquals } from "@std/assert";

export function deliveries(it: It): void {
  describe("deliver()", () => {
    it("is accepted by a step that waits, and wakes the advance", async (scene) => {
      const id = await scene.open({ control: activeIn("approval") });

      const given = delivery(id, "approval", { output: '{"by":"maria"}', metadata: '{"a":1}' });
      assertEquals(await scene.store.deliver(given), { kind: "accepted" });

      assertEquals(await scene.standing(id), ["advance - available"]);
      const [row] = await scene.store.unprocessed([id]);
      assertEquals([row?.event, row?.output, row?.metadata], ["approved", { by: "maria" }, {
        a: 1,
      }]);
      const [entry] = await scene.store.history(id);
      assertEquals([entry?.startedAt, entry?.process], [undefined, undefined]);
    });

    it("is kept when it comes early", async (scene) => {
      const id = await scene.open({ control: activeIn("pack") });

      assertEquals(await scene.store.deliver(delivery(id, "approval")), { kind: "early" });

      assertEquals((await scene.store.unprocessed([id])).length, 1);
    });

    it("is not taken by an instance that began with another graph", async (scene) => {
      const id = await scene.open({ control: activeIn("approval"), graph: "-7" });

      const answer = await scene.store.deliver(delivery(id, "approval", { graph: "8" }));

      assertEquals(answer, { kind: "changed", graph: "-7" });
      assertEquals(await scene.standing(id), []);
      assertEquals(await scene.store.unprocessed([id]), []);
    });

    it("is taken by an instance of which no graph is known", async (scene) => {
      const id = await scene.open({ control: activeIn("approval"), graph: undefined });

      assertEquals(await scene.store.deliver(delivery(id, "approval")), { kind: "accepted" });
    });

    it("is answered as before when it is repeated", async (scene) => {
      const id = await scene.open({ control: activeIn("approval") });
      const [now, soon] = [delivery(id, "approval"), delivery(id, "payment")];
      await scene.store.deliver(now);
      await scene.store.deliver(soon);

      assertEquals(await scene.store.deliver(now), { kind: "accepted" });
      assertEquals(await scene.store.deliver(soon), { kind: "early" });
      assertEquals((await scene.store.history(id)).length, 2);
    });

    it("is answered as before when its wait, or the instance, is over meanwhile", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("approval") });
      const given = delivery(id, "approval");
      await scene.store.deliver(given);
      const processed = [{ step: "approval", activation: 1, waits: false, causes: ["pack"] }];

      await scene.store.commit(process, [turn(id, { control: activeIn("ship"), processed })]);
      assertEquals(await scene.store.deliver(given), { kind: "accepted" });

      await scene.store.commit(process, [turn(id, { revision: 2, status: "completed" })]);
      assertEquals(await scene.store.deliver(given), { kind: "accepted" });
    });

    it("is a duplicate when another has come before", async (scene) => {
      const id = await scene.open({ control: activeIn("approval") });
      await scene.store.deliver(delivery(id, "approval"));

      const second = await scene.store.deliver(delivery(id, "approval", { event: "refused" }));

      assertEquals(second, { kind: "duplicate" });
      assertEquals((await scene.store.history(id)).map((entry) => entry.event), ["approved"]);
    });

    it("lets one of ten win that come at once", async (scene) => {
      const id = await scene.open({ control: activeIn("approval") });

      const tries = Array.from({ length: 10 }, () => scene.store.deliver(delivery(id, "approval")));
      const kinds = (await Promise.all(tries)).map((answer) => answer.kind);

      assertEquals(kinds.sort(), ["accepted", ...Array.from({ length: 9 }, () => "duplicate")]);
      assertEquals((await scene.store.history(id)).length, 1);
      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("comes too late when the wait has ended otherwise", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("parcel") }, { step: "parcel" });
      await scene.store.record([
        recording(await scene.claimOne(process), process, { event: "sent" }),
      ]);
      const expired = recorded("approval", { event: "expired" });
      await scene.store.commit(process, [turn(id, { recorded: [expired] })]);

      const parcel = await scene.store.deliver(delivery(id, "parcel"));
      const approval = await scene.store.deliver(delivery(id, "approval"));

      assertEquals(parcel, { kind: "over", event: "sent" });
      assertEquals(approval, { kind: "over", event: "expired" });
    });

    it("tells that the instance is final, or missing", async (scene) => {
      for (const status of ["completed", "failed", "cancelled"] as const) {
        const id = await scene.open({ status });
        assertEquals(await scene.store.deliver(delivery(id, "approval")), {
          kind: "final",
          status,
        });
        assertEquals(await scene.store.history(id), []);
        assertEquals(await scene.standing(id), []);
      }
      assertEquals(await scene.store.deliver(delivery(newId(), "approval")), { kind: "missing" });
      assertEquals(await scene.jobs(), []);
    });

    it("is final for a second delivery to an instance that has ended", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("approval") });
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.commit(process, [turn(id, { status: "completed" })]);

      const second = await scene.store.deliver(delivery(id, "approval"));

      assertEquals(second, { kind: "final", status: "completed" });
    });
  });

  describe("schedule()", () => {
    it("puts a delivery in for later, once", async (scene) => {
      const process = await scene.register();
      const job = scene.job({ kind: "resume", delay: 1_000, args: '{"delivery":{"id":"d"}}' });

      await scene.store.schedule(job);
      await scene.store.schedule(job);

      assertEquals(await scene.standing(job.instance), ["resume pack scheduled"]);
      await scene.elapse(2_000);
      await scene.queue.stage(10);
      assertEquals((await scene.claimOne(process)).args, { delivery: { id: "d" } });
    });
  });

  describe("cancelScheduled()", () => {
    const args = '{"delivery":{"id":"d"}}';

    it("deletes a delivery that is still to come", async (scene) => {
      const jobs = await scene.enqueue(
        { kind: "resume", delay: 1_000, args },
        { kind: "resume", args },
      );

      for (const job of jobs) assertEquals(await scene.store.cancelScheduled(job.id), true);

      assertEquals(await scene.jobs(), []);
      assertEquals(await scene.store.cancelScheduled(jobs[0]!.id), false);
    });

    it("takes nothing else", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({ kind: "resume", args });
      const executing = await scene.claimOne(process);
      const others = await scene.enqueue(
        { kind: "resume", delay: 1_000, args: '{"timer":1}' },
        { kind: "resume", delay: 1_000 },
        { kind: "execute", delay: 1_000, args },
      );

      for (const { id } of [executing, ...others, scene.job()]) {
        assertEquals(await scene.store.cancelScheduled(id), false);
      }

      assertEquals((await scene.jobs()).length, 4);
    });
  });
}
