import { describe } from "node:test";
import { assertEquals, assertNotEquals } from "@std/assert";
import { type It, leaseOf } from "./world.ts";

const failure = { name: "Error", message: "out of tape" };
const nobody = { processes: [], queues: [], running: [] };

export function rescues(it: It): void {
  describe("claimLone()", () => {
    it("takes one of the jobs that must run alone, where queue and code are served", async (scene) => {
      const alive = await scene.register(60_000);
      await scene.enqueue({}, {});
      const serves = [{ workflow: "order", version: 1 }];
      const demand = { process: alive, queues: ["default"], serves };
      assertEquals(await scene.queue.claimLone(demand), undefined);
      assertEquals(await scene.queue.loneWaits(demand), false);
      for (let death = 0; death < 2; death++) {
        const dead = await scene.register(1_000);
        await scene.claim(dead);
        await scene.elapse(2_000);
        await scene.queue.rescue();
        if (death > 0) continue;
        assertEquals(await scene.queue.claimLone(demand), undefined);
        assertEquals(await scene.queue.loneWaits(demand), false);
      }
      assertEquals(await scene.claim(alive), []);

      const elsewhere = { ...demand, queues: ["emails"] };
      const unknown = { ...demand, serves: [{ workflow: "order", version: 2 }] };
      for (const other of [elsewhere, unknown, { ...demand, process: "999999" }]) {
        assertEquals(await scene.queue.claimLone(other), undefined);
      }
      assertEquals(await scene.queue.loneWaits(elsewhere), false);
      assertEquals(await scene.queue.loneWaits(demand), true);
      const [one, two] = [
        await scene.queue.claimLone(demand),
        await scene.queue.claimLone(demand),
      ];

      assertEquals([one?.attempt, two?.attempt, one?.deaths], [1, 1, 2]);
      assertNotEquals(one?.id, two?.id);
      assertEquals(await scene.queue.claimLone(demand), undefined);
      assertEquals(await scene.queue.snooze(leaseOf(one!, alive), 10_000), true);
      assertEquals(await scene.queue.loneWaits(demand), false);
      assertEquals(await scene.queue.claimLone(demand), undefined);
      await scene.elapse(11_000);
      await scene.queue.stage(10);
      assertEquals(await scene.claim(alive), []);
      assertEquals((await scene.queue.claimLone(demand))?.id, one?.id);
    });
  });

  describe("rescue()", () => {
    it("frees the jobs of a dead process, whose attempt stays counted", async (scene) => {
      const [dead, alive] = [await scene.register(1_000), await scene.register(60_000)];
      await scene.enqueue({ queue: "emails" }, {});
      const lost = (await scene.claim(dead, { queue: "emails" }))[0]!;
      const kept = await scene.claimOne(alive);
      await scene.elapse(2_000);

      const { processes, queues } = await scene.queue.rescue();

      assertEquals([processes, queues], [[dead], ["emails"]]);
      assertEquals(await scene.queue.retry(leaseOf(lost, dead), [failure], 0), false);
      const [again] = await scene.claim(alive, { queue: "emails" });
      assertEquals([again?.id, again?.attempt], [lost.id, 2]);
      assertEquals(await scene.queue.snooze(leaseOf(kept, alive), 0), true);
    });

    it("gives attempts back of jobs that were not alone, twice at most", async (scene) => {
      const alive = await scene.register(60_000);
      await scene.enqueue({}, {}, {});

      const attempts = [];
      for (let death = 0; death < 2; death++) {
        const dead = await scene.register(1_000);
        attempts.push((await scene.claim(dead)).map(({ attempt, deaths }) => [attempt, deaths]));
        await scene.elapse(2_000);
        await scene.queue.rescue();
      }

      assertEquals(attempts, [[[1, 0], [1, 0], [1, 0]], [[1, 1], [1, 1], [1, 1]]]);
      assertEquals(await scene.claim(alive), []);
      assertEquals((await scene.jobs()).map(({ attempt }) => attempt), [0, 0, 0]);
    });

    it("counts a job's own process only", async (scene) => {
      const [one, two] = [await scene.register(1_000), await scene.register(1_000)];
      const alive = await scene.register(60_000);
      await scene.enqueue({}, {});
      await scene.claimOne(one);
      await scene.claimOne(two);
      await scene.elapse(2_000);

      await scene.queue.rescue();

      const jobs = await scene.claim(alive);
      assertEquals(jobs.map(({ attempt, deaths }) => [attempt, deaths]), [[2, 1], [2, 1]]);
    });

    it("counts deaths that a job has died alone, and what comes after it has none", async (scene) => {
      const alive = await scene.register(60_000);
      await scene.enqueue({});
      for (let death = 0; death < 2; death++) {
        const dead = await scene.register(1_000);
        await scene.claimOne(dead);
        await scene.elapse(2_000);
        await scene.queue.rescue();
      }
      const demand = { queues: ["default"], serves: [{ workflow: "order", version: 1 }] };

      assertEquals(await scene.claim(alive), []);
      const job = await scene.queue.claimLone({ ...demand, process: alive });

      assertEquals([job?.attempt, job?.deaths], [3, 2]);
    });

    it("says what the dead were running", async (scene) => {
      const dead = await scene.register(1_000);
      await scene.enqueue({ step: "charge", maxAttempts: 5 });
      const job = await scene.claimOne(dead);
      await scene.elapse(2_000);

      const { running } = await scene.queue.rescue();

      const { id, kind, workflow, version, instance, step, attempt, maxAttempts } = job;
      assertEquals(running, [{
        process: dead,
        job: id,
        kind,
        workflow,
        version,
        key: undefined,
        instance,
        step,
        attempt,
        maxAttempts,
      }]);
      assertEquals([step, attempt, maxAttempts], ["charge", 1, 5]);
    });

    it("leaves a process whose lease has not ended", async (scene) => {
      await scene.register(10_000);
      await scene.elapse(9_000);

      assertEquals(await scene.queue.rescue(), nobody);
    });

    it("spares the process that asks, however late it is", async (scene) => {
      const [late, dead] = [await scene.register(1_000), await scene.register(1_000)];
      await scene.enqueue({});
      const job = await scene.claimOne(late);
      await scene.elapse(2_000);

      assertEquals((await scene.queue.rescue(late)).processes, [dead]);

      assertEquals(await scene.queue.rescue(late), nobody);
      assertEquals(await scene.queue.snooze(leaseOf(job, late), 0), true);
    });

    it("lets an advance yield to one that waits", async (scene) => {
      const process = await scene.register(1_000);
      const { id } = await scene.twoAdvances(process);
      await scene.elapse(2_000);

      await scene.queue.rescue();

      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("leaves one of two advances that a dead process executed", async (scene) => {
      const process = await scene.register(1_000);
      const { id } = await scene.twoAdvances(process);
      await scene.claimOne(process);
      await scene.elapse(2_000);

      await scene.queue.rescue();

      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("never lets an id be used again", async (scene) => {
      const dead = await scene.register(1_000);
      await scene.elapse(2_000);
      await scene.queue.rescue();

      assertNotEquals(await scene.register(), dead);
    });
  });
}
