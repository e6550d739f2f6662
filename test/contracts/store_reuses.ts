import {
  activeIn,
  type It,
  leaseOf,
  plain,
  recorded,
  recording,
  type Scene,
  turn,
} from "./world.ts";
import { describe } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { Job } from "../../src/backend/job.ts";
import type { Turn } from "../../src/backend/turn.ts";

const failure = { name: "Error", message: "out of tape" };

export function reuses(it: It): void {
  describe("commit() of a job that takes the row of the one that has ended", () => {
    it("keeps the id, and is a new job else", async (scene) => {
      const { process, id, job } = await running(scene);

      const written = await scene.store.commit(process, [chained(scene, id, job)]);

      assertEquals([...written.keys()], [id]);
      assertEquals((await scene.known(id)).revision, 2);
      const [after, ...others] = await scene.jobs();
      assertEquals(others, []);
      assertEquals(
        [after?.id, after?.step, after?.state, after?.process, after?.attempt],
        [job.id, "ship", "executing", process, 1],
      );
    });

    it("raises the token, and has neither failures nor arguments of the one before", async (scene) => {
      const { process, id, job } = await running(scene);
      assertEquals([job.attempt, job.token, job.errors.length], [2, 2, 1]);

      await scene.store.commit(process, [chained(scene, id, job)]);

      const lease = { process, id: job.id, token: 3 };
      assertEquals(await scene.queue.heartbeat(process, 30_000), { owned: [lease] });
      assertEquals(await scene.queue.snooze(lease, 0), true);
      await scene.queue.stage(10);
      const next = await scene.claimOne(process);
      assertEquals(
        [next.id, next.step, next.attempt, next.token, next.maxAttempts, next.errors, next.args],
        [job.id, "ship", 1, 4, 7, [], [1]],
      );
    });

    it("is due since it began, once it is given back", async (scene) => {
      const { process, id, job } = await running(scene);
      await scene.elapse(60_000);
      await scene.store.commit(process, [chained(scene, id, job)]);
      await scene.elapse(1_000);

      await scene.queue.release([{ ...leaseOf(job, process), token: job.token + 1 }]);

      assertEquals((await scene.claim(process, { since: 500 })).length, 0);
      assertEquals((await scene.claim(process, { since: 30_000 })).length, 1);
    });

    it("begins beside others that the turn starts and ends", async (scene) => {
      const { process, id, job } = await running(scene);
      const other = await scene.open({}, {});
      const ended = await scene.claimOne(process);
      const started = [scene.job({ instance: id, step: "bill" })];

      await scene.store.commit(process, [
        { ...chained(scene, id, job), started },
        turn(other, { recorded: [recorded("pack")], settled: [ended.id] }),
      ]);

      assertEquals(await scene.standing(id), ["execute bill available", "execute ship executing"]);
      assertEquals(await scene.standing(other), []);
    });

    it("leaves the row alone when the turn is stale", async (scene) => {
      const { process, id, job } = await running(scene);
      await scene.store.commit(process, [turn(id)]);
      const before = await scene.jobs();

      const written = await scene.store.commit(process, [chained(scene, id, job)]);

      assertEquals([[...written.keys()], await scene.jobs()], [[], before]);
      assertEquals(await owned(scene, process), [leaseOf(job, process)]);
    });

    it("leaves the row alone when the result is there already", async (scene) => {
      const { process, id, job } = await running(scene);
      await scene.store.record([recording(job, process)]);
      const before = await scene.jobs();

      assertEquals([...await scene.store.commit(process, [chained(scene, id, job)])], []);

      assertEquals(await scene.jobs(), before);
      assertEquals((await scene.known(id)).revision, 1);
    });

    it("leaves the row to the process that has rescued it", async (scene) => {
      const { process, id, job } = await running(scene, 1_000);
      const other = await scene.register(60_000);
      await scene.elapse(2_000);
      await scene.queue.rescue();
      const taken = await scene.claimOne(other);

      const written = await scene.store.commit(process, [chained(scene, id, job)]);

      assertEquals([[...written.keys()], (await scene.known(id)).revision], [[], 1]);
      assertEquals(await owned(scene, other), [leaseOf(taken, other)]);
      assertEquals(await scene.standing(id), ["execute pack executing"]);
    });

    it("takes a row that was given back meanwhile, and then no lease holds but its own", async (scene) => {
      const { process, id, job } = await running(scene);
      const other = await scene.register();
      await scene.queue.release([leaseOf(job, process)]);
      const theirs = await scene.claimOne(other);

      await scene.store.commit(process, [chained(scene, id, job)]);

      assertEquals(await scene.standing(id), ["execute ship executing"]);
      assertEquals(await scene.queue.snooze(leaseOf(theirs, other), 0), false);
      assertEquals(await owned(scene, process), [{ process, id: job.id, token: 4 }]);
    });

    it("stands with its transaction, and falls with it", async (scene) => {
      const { process, id, job } = await running(scene);
      const before = await scene.jobs();

      const rejected = scene.store.transaction(async (tx) => {
        await tx.commit(process, [chained(scene, id, job)]);
        throw new RangeError("Cannot go on");
      });
      await assertRejects(() => rejected, RangeError, "Cannot go on");
      assertEquals(await scene.jobs(), before);

      await scene.store.transaction((tx) => tx.commit(process, [chained(scene, id, job)]));
      assertEquals(await scene.standing(id), ["execute ship executing"]);
    });

    it("records its own result beside a late one of the step before", async (scene) => {
      const { process, id, job } = await running(scene);
      await scene.store.commit(process, [{ ...chained(scene, id, job), recorded: [] }]);
      const next = { ...job, step: "ship", token: job.token + 1 };

      const recorded = await scene.store.record([
        recording(job, process),
        recording(next, process),
      ]);

      assertEquals([...recorded], [job.id]);
      assertEquals((await scene.store.history(id)).map(({ step }) => step), ["ship"]);
    });

    for (const [verdict, settle] of verdicts) {
      it(`is out of reach of ${verdict} of the step before`, async (scene) => {
        const { process, id, job } = await running(scene);
        await scene.store.commit(process, [chained(scene, id, job)]);
        const all = async () => [
          await scene.jobs(),
          plain(await scene.known(id)),
          await owned(scene, process),
        ];
        const before = await all();

        await settle(scene, job, process);

        assertEquals(await all(), before);
        assertEquals((await scene.store.history(id)).map(({ step }) => step), ["pack"]);
      });
    }
  });
}

/** What may be said of a job once it has ended. */
export const verdicts: readonly (readonly [
  name: string,
  settle: (scene: Scene, job: Job, process: string) => Promise<unknown>,
])[] = [
  ["a retry", ({ queue }, job, process) => queue.retry(leaseOf(job, process), [failure], 0)],
  ["a snooze", ({ queue }, job, process) => queue.snooze(leaseOf(job, process), 0)],
  ["a give-back", ({ queue }, job, process) => queue.release([leaseOf(job, process)])],
  ["a result", ({ store }, job, process) => store.record([recording(job, process)])],
  [
    "a pass",
    ({ store }, job, process) =>
      store.pass([{ lease: leaseOf(job, process), instance: job.instance, ignored: [] }]),
  ],
];

/** An instance whose step runs for the second time. */
export async function running(
  scene: Scene,
  lease?: number,
): Promise<{ readonly process: string; readonly id: string; readonly job: Job }> {
  const process = await scene.register(lease);
  const id = await scene.open({}, { step: "pack", args: '{"a":1}' });
  const first = await scene.claimOne(process);
  await scene.queue.retry(leaseOf(first, process), [failure], 0);
  await scene.queue.stage(10);
  return { process, id, job: await scene.claimOne(process) };
}

/** The turn in which it ends, and the next step takes its row. */
export function chained(scene: Scene, instance: string, { id }: Job): Turn {
  const next = { id, instance, step: "ship", maxAttempts: 7, owned: true, args: "[1]" };
  return turn(instance, {
    control: activeIn("ship"),
    recorded: [recorded("pack")],
    reused: scene.job(next),
  });
}

async function owned(scene: Scene, process: string) {
  return (await scene.queue.heartbeat(process, 60_000))?.owned;
}
