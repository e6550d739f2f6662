import {
  cancelled,
  delivery,
  failing,
  type It,
  leaseOf,
  newId,
  type Scene,
  until,
} from "./world.ts";
import { describe } from "node:test";
import { assert, assertEquals } from "@std/assert";

const failure = { name: "Error", message: "out of tape" };

export function upkeep(it: It): void {
  describe("stage()", () => {
    it("makes due jobs available and names their queues", async (scene) => {
      const process = await scene.register();
      const [due] = await scene.enqueue(
        { delay: 1_000, queue: "emails" },
        { delay: 1_000, queue: "emails" },
        { delay: 1_000 },
        { delay: 60_000, queue: "later" },
      );
      await scene.elapse(2_000);

      assertEquals([...await scene.queue.stage(10)].sort(), ["default", "emails"]);

      const [claimed] = await scene.claim(process, { queue: "emails" });
      assertEquals(claimed?.id, due?.id);
      assertEquals((await scene.jobs()).map((job) => job.state).at(-1), "scheduled");
    });

    it("makes at most the limit available, the longest due first", async (scene) => {
      const [second] = await scene.enqueue({ delay: 2_000 });
      const [first] = await scene.enqueue({ delay: 1_000 });
      await scene.elapse(3_000);

      await scene.queue.stage(1);

      const available = (await scene.jobs()).filter((job) => job.state === "available");
      assertEquals(available.map((job) => job.id), [first?.id]);
      await scene.queue.stage(1);
      assert(
        (await scene.jobs()).some((job) => job.id === second?.id && job.state === "available"),
      );
    });

    it("lets an advance yield to one that waits", async (scene) => {
      const process = await scene.register();
      const { id, advance } = await scene.twoAdvances(process);
      await scene.queue.retry(leaseOf(advance, process), [failure], 0);

      await scene.queue.stage(10);

      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("leaves one of two advances that back off", async (scene) => {
      const process = await scene.register();
      const { id, advance } = await scene.twoAdvances(process);
      const other = await scene.claimOne(process);
      await scene.queue.retry(leaseOf(advance, process), [failure], 0);
      await scene.queue.retry(leaseOf(other, process), [failure], 0);
      assertEquals((await scene.jobsOf(id)).length, 2);

      await scene.queue.stage(10);

      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("gives each due job to the queue once when many stage", async (scene) => {
      const process = await scene.register();
      await scene.enqueue(...Array.from({ length: 20 }, () => ({ delay: 1_000 })));
      await scene.elapse(2_000);

      await Promise.all(Array.from({ length: 5 }, () => scene.queue.stage(10)));
      await scene.queue.stage(20);

      assertEquals((await scene.claim(process, { limit: 50 })).length, 20);
    });
  });

  describe("nextDue()", () => {
    it("is what it is told when nothing is scheduled", async (scene) => {
      await scene.enqueue({});

      assertEquals(await scene.queue.nextDue(5_000), 5_000);
    });

    it("is the time until the first scheduled or retryable job, at most what it is told", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({ delay: 3_600_000 });
      await scene.enqueue({});
      const job = await scene.claimOne(process);
      await scene.queue.retry(leaseOf(job, process), [failure], 1_800_000);
      await scene.elapse(600_000);

      const due = await scene.queue.nextDue(86_400_000);

      assert(due > 1_100_000 && due <= 1_200_000, `${due}`);
      assertEquals(await scene.queue.nextDue(5_000), 5_000);
    });

    it("is nothing for what is due already", async (scene) => {
      await scene.enqueue({ delay: 1_000 });
      await scene.elapse(5_000);

      assertEquals(await scene.queue.nextDue(5_000), 0);
    });
  });

  describe("unserved()", () => {
    const order = { workflow: "order", version: 1 };

    it("counts due jobs that no living process can take, by what is missing", async (scene) => {
      const { queue } = scene;
      await queue.register("emails only", 60_000, { queues: ["emails"], workflows: [order] });
      const invoice = { workflow: "invoice", version: 1 };
      await queue.register("invoices only", 60_000, { queues: ["default"], workflows: [invoice] });
      await scene.enqueue(
        { queue: "emails" },
        { queue: "Emails" },
        { queue: "Emails", step: "ship" },
        { queue: "emails", version: 2 },
        { queue: "default" },
        { queue: "emails", delay: 60_000 },
      );

      const found = await queue.unserved();

      const missing = { step: "pack", servedQueues: ["default", "emails"] };
      const byText = (a: object, b: object) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
      const expected = [
        { ...missing, ...order, queue: "Emails", count: 2, hasQueue: false, hasCode: true },
        { ...missing, ...order, queue: "default", count: 1, hasQueue: true, hasCode: true },
        {
          ...missing,
          ...order,
          version: 2,
          queue: "emails",
          count: 1,
          hasQueue: true,
          hasCode: false,
        },
      ];
      const told = found.map((
        { step, servedQueues, workflow, version, queue, count, hasQueue, hasCode },
      ) => ({ step, servedQueues, workflow, version, queue, count, hasQueue, hasCode }));
      assertEquals(told.sort(byText), expected.sort(byText));
    });

    it("knows the living only, and believes one that does not say what it serves", async (scene) => {
      const { queue } = scene;
      await queue.register("dying", 1_000, { queues: ["default"], workflows: [order] });
      await scene.enqueue({});
      assertEquals(await queue.unserved(), []);

      await scene.elapse(2_000);
      assertEquals((await queue.unserved()).map(({ count, hasQueue }) => [count, hasQueue]), [
        [1, false],
      ]);

      await scene.register();
      assertEquals(await queue.unserved(), []);
    });
  });

  describe("prune()", () => {
    it("deletes discarded and cancelled jobs of a certain age, at most the limit", async (scene) => {
      const process = await scene.register();
      const failed = await scene.open({}, {}, { step: "ship", delay: 1_000 });
      const job = await scene.claimOne(process);
      await scene.store.commit(process, [failing(job)]);
      assertEquals(await scene.standing(failed), [
        "execute pack discarded",
        "execute ship cancelled",
      ]);
      await scene.elapse(60_000);
      const fresh = await scene.open({}, {});
      await scene.store.commitLocked(fresh, (state) => cancelled(state));

      assertEquals(await scene.queue.prune(30_000, 1), 1);
      assertEquals(await scene.queue.prune(30_000, 10), 1);
      assertEquals(await scene.queue.prune(30_000, 10), 0);
      assertEquals(await scene.standing(fresh), ["execute pack cancelled"]);
    });

    it("leaves live jobs, however old", async (scene) => {
      await scene.enqueue({}, { delay: 1_000 });
      await scene.elapse(86_400_000);

      assertEquals(await scene.queue.prune(1_000, 10), 0);
      assertEquals((await scene.jobs()).length, 2);
    });
  });

  describe("listen()", () => {
    const ways = {
      "an instance is opened": (scene: Scene, queue: string) => scene.open({}, { queue }),
      "a delivery comes": async (scene: Scene, queue: string) => {
        const wake = { queue, workflow: "order", version: 1 };
        await scene.store.deliver(delivery(await scene.open(), "approval", { wake }));
      },
      "a delivery is put in for now": (scene: Scene, queue: string) =>
        scene.enqueue({ queue, kind: "resume", instance: newId() }),
    };
    for (const [when, work] of Object.entries(ways)) {
      it(`wakes when ${when}`, async (scene) => {
        const woken = new Set<string>();
        await using _ = scene.queue.listen((queues) => queues.forEach((queue) => woken.add(queue)));

        await until(async () => {
          await work(scene, "emails");
          return woken.has("emails");
        });
      });
    }
  });
}
