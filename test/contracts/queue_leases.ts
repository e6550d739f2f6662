import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import type { Lease } from "../../src/backend/queue.ts";
import { type It, leaseOf, type Scene } from "./world.ts";

const failure = { name: "Error", message: "out of tape" };

export function leases(it: It): void {
  describe("retry()", () => {
    it("brings the job back after the delay, with its failures, oldest first", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({});

      for (const message of ["first", "second"]) {
        const job = await scene.claimOne(process);
        const failures = [...job.errors, { ...failure, message }];
        assertEquals(await scene.queue.retry(leaseOf(job, process), failures, 1_000), true);
        assertEquals(await scene.queue.stage(10), []);
        await scene.elapse(1_001);
        assertEquals(await scene.queue.stage(10), ["default"]);
      }

      const job = await scene.claimOne(process);
      assertEquals(job.attempt, 3);
      assertEquals(job.errors.map((error) => error.message), ["first", "second"]);
    });

    it("leaves a retryable job that nobody owns", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({});
      const job = await scene.claimOne(process);

      await scene.queue.retry(leaseOf(job, process), [failure], 0);

      const [stored] = await scene.jobs();
      assertEquals([stored?.state, stored?.process], ["retryable", undefined]);
    });

    it("changes nothing when the lease is stale", async (scene) => {
      await staleLeases(scene, (lease) => scene.queue.retry(lease, [failure], 0));
    });
  });

  describe("snooze()", () => {
    it("puts the job off without using up an attempt", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({});
      const job = await scene.claimOne(process);

      assertEquals(await scene.queue.snooze(leaseOf(job, process), 1_000), true);

      const [stored] = await scene.jobs();
      assertEquals([stored?.state, stored?.attempt], ["scheduled", 0]);
      await scene.elapse(1_001);
      await scene.queue.stage(10);
      assertEquals((await scene.claimOne(process)).attempt, 1);
    });

    it("changes nothing when the lease is stale", async (scene) => {
      await staleLeases(scene, (lease) => scene.queue.snooze(lease, 0));
    });
  });

  describe("an attempt that stays counted", () => {
    const givenBack: { readonly [how: string]: (scene: Scene, lease: Lease) => Promise<unknown> } =
      {
        "snooze()": (scene, lease) => scene.queue.snooze(lease, 0, { counted: true }),
        "release()": (scene, lease) => scene.queue.release([lease], { counted: true }),
      };
    for (const [how, giveBack] of Object.entries(givenBack)) {
      it(`is used up by ${how}`, async (scene) => {
        const process = await scene.register();
        await scene.enqueue({});
        const job = await scene.claimOne(process);

        await giveBack(scene, leaseOf(job, process));

        await scene.queue.stage(10);
        assertEquals((await scene.claimOne(process)).attempt, 2);
      });
    }
  });

  describe("release()", () => {
    it("gives jobs back without using up an attempt", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({}, {});
      const jobs = await scene.claim(process);

      await scene.queue.release(jobs.map((job) => leaseOf(job, process)));

      const stored = await scene.jobs();
      assertEquals(stored.map((job) => job.state), ["available", "available"]);
      assertEquals((await scene.claim(process)).map((job) => job.attempt), [1, 1]);
    });

    it("changes nothing when the lease is stale", async (scene) => {
      await staleLeases(scene, (lease) => scene.queue.release([lease]).then(() => false));
    });

    it("ends a lease for good, whichever process claims the job next", async (scene) => {
      const process = await scene.register();
      await scene.enqueue({});
      const first = await scene.claimOne(process);
      await scene.queue.release([leaseOf(first, process)]);

      const second = await scene.claimOne(process);

      assertEquals([first.attempt, second.attempt], [1, 1]);
      assertEquals([first.token, second.token], [1, 2]);
      assertEquals(await scene.queue.retry(leaseOf(first, process), [failure], 0), false);
      assertEquals(await scene.queue.snooze(leaseOf(second, process), 0), true);
    });

    it("lets an advance yield to one that waits", async (scene) => {
      const process = await scene.register();
      const { id, advance } = await scene.twoAdvances(process);

      await scene.queue.release([leaseOf(advance, process)]);

      assertEquals(await scene.standing(id), ["advance - available"]);
    });
  });

  describe("unregister()", () => {
    it("gives back what the process still owns, without using up an attempt", async (scene) => {
      const [process, other] = [await scene.register(), await scene.register()];
      await scene.enqueue({}, {});
      const [job, theirs] = [await scene.claimOne(process), await scene.claimOne(other)];
      const { id } = await scene.twoAdvances(process);

      await scene.queue.unregister(process);

      assertEquals(await scene.standing(id), ["advance - available"]);
      const stored = await scene.jobs();
      assertEquals(
        [job, theirs].map(({ id }) => {
          const found = stored.find((one) => one.id === id);
          return [found?.state, found?.process, found?.attempt];
        }),
        [["available", undefined, 0], ["executing", other, 1]],
      );
    });
  });

  describe("heartbeat()", () => {
    it("tells which jobs the process owns", async (scene) => {
      const [mine, yours] = [await scene.register(), await scene.register()];
      await scene.enqueue({}, {});
      const job = await scene.claimOne(mine);
      await scene.claimOne(yours);

      assertEquals(await scene.queue.heartbeat(mine, 30_000), { owned: [leaseOf(job, mine)] });
    });

    it("prolongs the lease", async (scene) => {
      const process = await scene.register(10_000);

      await scene.elapse(9_000);
      await scene.queue.heartbeat(process, 10_000);
      await scene.elapse(9_000);

      assertEquals((await scene.queue.rescue()).processes, []);
    });

    it("is refused to a process that has left or was declared dead", async (scene) => {
      const [gone, dead] = [await scene.register(), await scene.register(1_000)];
      await scene.queue.unregister(gone);
      await scene.elapse(2_000);
      await scene.queue.rescue();

      assertEquals(await scene.queue.heartbeat(gone, 30_000), undefined);
      assertEquals(await scene.queue.heartbeat(dead, 30_000), undefined);
    });
  });
}

type Settle = (lease: ReturnType<typeof leaseOf>) => Promise<boolean>;

/** Tries every lease that is not the one that holds. */
async function staleLeases(scene: Scene, settle: Settle): Promise<void> {
  const [owner, other] = [await scene.register(), await scene.register()];
  await scene.enqueue({});
  const first = await scene.claimOne(owner);
  await scene.queue.retry(leaseOf(first, owner), [failure], 0);
  await scene.queue.stage(10);
  const job = await scene.claimOne(owner);
  const before = await scene.jobs();

  assertEquals(await settle(leaseOf(first, owner)), false);
  assertEquals(await settle(leaseOf(job, other)), false);
  assertEquals(await settle({ ...leaseOf(job, owner), id: scene.job().id }), false);

  assertEquals(await scene.jobs(), before);
}
