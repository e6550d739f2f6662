import { describe } from "node:test";
import { assert, assertEquals, assertExists } from "@std/assert";
import { type It, leaseOf } from "./world.ts";

export function claims(it: It): void {
  describe("claim()", () => {
    it("takes the most urgent, then the oldest, then the first put in", async (scene) => {
      const process = await scene.register();
      const [late] = await scene.enqueue({ delay: 5_000 });
      const [early] = await scene.enqueue({ delay: 1_000 });
      await scene.elapse(10_000);
      await scene.queue.stage(10);
      const [fresh, urgent] = await scene.enqueue({}, { priority: 0 });
      assertExists(late);

      const inTurn = [];
      for (let taken = 0; taken < 4; taken++) inTurn.push((await scene.claimOne(process)).id);

      assertEquals(inTurn, [urgent?.id, early?.id, late.id, fresh?.id]);
    });

    it("returns jobs in that order too", async (scene) => {
      const process = await scene.register();
      const late = await scene.enqueue({ delay: 5_000 });
      const early = await scene.enqueue({ delay: 1_000 });
      await scene.elapse(10_000);
      await scene.queue.stage(10);
      const urgent = await scene.enqueue({ priority: 0 });

      const claimed = await scene.claim(process);

      const expected = [...urgent, ...early, ...late].map((job) => job.id);
      assertEquals(claimed.map((job) => job.id), expected);
    });

    it("hands over what the job is about and counts the attempt", async (scene) => {
      const process = await scene.register();
      const [given] = await scene.enqueue({
        kind: "resume",
        priority: 3,
        step: "approval",
        maxAttempts: undefined,
        args: '{"delivery":{"at":[1,null,"ü"]}}',
      });

      const job = await scene.claimOne(process);

      const [stored] = await scene.jobs();
      assertEquals(job, {
        id: given?.id ?? "",
        kind: "resume",
        workflow: "order",
        version: 1,
        instance: given?.instance ?? "",
        step: "approval",
        activation: 1,
        queue: "default",
        priority: 3,
        attempt: 1,
        at: job.at,
        token: 1,
        maxAttempts: undefined,
        deaths: 0,
        errors: [],
        args: { delivery: { at: [1, null, "ü"] } },
      });
      assert(job.at >= (stored?.scheduledAt.getTime() ?? Infinity) - 1, "it began when it was due");
      assertEquals([stored?.state, stored?.process], ["executing", process]);
    });

    it("takes at most the limit", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({}, {}, {});

      assertEquals((await scene.claim(process, { limit: 2 })).length, 2);
      assertEquals((await scene.claim(process, { limit: 2 })).length, 1);
      assertEquals((await scene.claim(process, { limit: 2 })).length, 0);
    });

    it("looks no further back than it is told", async (scene) => {
      const process = await scene.register();
      const [old] = await scene.enqueue({});
      await scene.elapse(60_000);
      const [recent] = await scene.enqueue({});

      const claimed = await scene.claim(process, { since: 30_000 });
      assertEquals(claimed.map(({ id }) => id), [recent?.id]);
      assertEquals((await scene.claim(process)).map(({ id }) => id), [old?.id]);
    });

    it("takes hundreds at once", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, ...Array.from({ length: 500 }, () => ({})));

      const claimed = await scene.claim(process, { limit: 500 });

      assertEquals(
        claimed.map((job) => job.id).sort(),
        (await scene.jobsOf(id)).map((job) => job.id).sort(),
      );
    });

    it("takes jobs of its own queue only, whatever the name", async (scene) => {
      const process = await scene.register();
      const hostile = `x'); drop table "jobs"; -- ,{}\\`;
      const [mine] = await scene.enqueue({ queue: hostile }, { queue: "emails" });

      const claimed = await scene.claim(process, { queue: hostile });

      assertEquals(claimed.map((job) => [job.id, job.queue]), [[mine?.id, hostile]]);
    });

    it("takes jobs of the workflows and versions that it serves only", async (scene) => {
      const process = await scene.register();
      const [first, second] = await scene.enqueue(
        { workflow: "order", version: 1 },
        { workflow: "refund", version: 2 },
        { workflow: "order", version: 2 },
        { workflow: "refund", version: 1 },
      );

      const serves = [{ workflow: "order", version: 1 }, { workflow: "refund", version: 2 }];
      const claimed = await scene.claim(process, { serves });

      assertEquals(claimed.map((job) => job.id), [first?.id, second?.id]);
      assertEquals(await scene.claim(process, { serves: [] }), []);
    });

    it("leaves jobs that are not due", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({ delay: 60_000 });

      assertEquals(await scene.claim(process), []);
      const [stored] = await scene.jobs();
      assertEquals(stored?.state, "scheduled");
    });

    it("gives nothing to a process that is not registered", async (scene) => {
      const process = await scene.register();
      await scene.queue.unregister(process);
      await scene.enqueue({});

      assertEquals(await scene.claim(process), []);
      const [stored] = await scene.jobs();
      assertEquals([stored?.state, stored?.attempt], ["available", 0]);
    });

    it("gives each job to exactly one of twenty concurrent claims", async (scene) => {
      const process = await scene.register();
      await scene.open({}, ...Array.from({ length: 60 }, () => ({})));

      const claims = Array.from({ length: 20 }, () => scene.claim(process, { limit: 5 }));
      const claimed = (await Promise.all(claims)).flat().map((job) => job.id);
      const rest = await scene.claim(process, { limit: 60 });

      const all = [...claimed, ...rest.map((job) => job.id)];
      assertEquals(all.length, 60);
      assertEquals(new Set(all).size, 60);
    });

    it("hands out values that nobody shares", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({ args: '{"items":[1]}' });

      const first = await scene.claimOne(process);
      (first.args as { items: number[] }).items.push(2);
      await scene.queue.release([leaseOf(first, process)]);

      assertEquals((await scene.claimOne(process)).args, { items: [1] });
    });
  });

  describe("reserveIds()", () => {
    it("gives blocks that do not overlap", async (scene) => {
      const blocks = await Promise.all(Array.from({ length: 20 }, () => scene.queue.reserveIds()));

      const sorted = [...blocks].sort((a, b) => a.from - b.from);
      assertEquals(sorted.every(({ from, to }) => from > 0 && to > from), true);
      assertEquals(sorted.every(({ from }, at) => at === 0 || from >= sorted[at - 1]!.to), true);
    });
  });
}
