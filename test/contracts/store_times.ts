import { describe } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { Job, NewJob } from "../../src/backend/job.ts";
import { activeIn, type It, leaseOf, recorded, type Scene, turn } from "./world.ts";

const failure = { name: "Error", message: "out of tape" };
const later = new Date(Date.UTC(2199, 11, 31, 23, 59, 59, 999));

export function times(it: It): void {
  describe("a job that is due at a point in time", () => {
    it("is scheduled for it, beside one with a delay and one with neither", async (scene) => {
      const process = await scene.register();
      await scene.open({}, { due: later }, { delay: 60_000, step: "b" }, { step: "c" });

      const [due, delayed, now] = await scene.jobs();

      assertEquals([due?.state, due?.scheduledAt], ["scheduled", later]);
      assertEquals([delayed?.state, now?.state], ["scheduled", "available"]);
      const wait = delayed!.scheduledAt.getTime() - now!.scheduledAt.getTime();
      assertEquals(Math.round(wait), 60_000);
      assertEquals((await scene.claim(process)).map(({ step }) => step), ["c"]);
    });

    it("can be claimed at once when that has passed", async (scene) => {
      const process = await scene.register();
      await scene.open({}, { step: "a" });
      await scene.open({}, { due: new Date(0), step: "b" });

      // It is no more urgent than what was due before it.
      assertEquals((await scene.claim(process)).map(({ step }) => step), ["a", "b"]);
    });

    it("is told of by the next that is due", async (scene) => {
      await scene.open({}, { due: later });

      assertEquals(await scene.queue.nextDue(5_000), 5_000);
    });
  });

  describe("a job with a deadline", () => {
    it("has it from when it is inserted, beside jobs without one", async (scene) => {
      const process = await scene.register();
      await scene.open({}, { deadline: 60_000 }, { deadline: later, step: "b" }, {
        args: "[1]",
        step: "c",
      });

      const [length, point, none] = await scene.claim(process);

      assert(Math.abs(leftOf(length!) - 60_000) < 5_000, `${leftOf(length!)} ms are left`);
      assertEquals(point?.args, { deadline: later.getTime() });
      assertEquals(none?.args, [1]);
    });

    it("keeps it through a retry, a snooze, a release and a rescue", async (scene) => {
      const process = await scene.register(1_000);
      await scene.open({}, { deadline: 60_000 });
      const first = await scene.claimOne(process);
      await scene.queue.retry(leaseOf(first, process), [failure], 0);
      await scene.queue.stage(1);
      const second = await scene.claimOne(process);
      await scene.queue.snooze(leaseOf(second, process), 0);
      await scene.queue.stage(1);
      const third = await scene.claimOne(process);
      await scene.queue.release([leaseOf(third, process)]);
      await scene.claimOne(process);
      await scene.elapse(2_000);
      const other = await scene.register();
      await scene.queue.rescue(other);

      const last = await scene.claimOne(other);

      assertEquals(last.args, first.args);
      assertEquals(last.deaths, 1);
      assert(last.at >= first.at, "an attempt begins when it is claimed");
    });

    for (const deadline of [60_000, later]) {
      it(`has its own in the row of the one before: ${typeof deadline}`, async (scene) => {
        const { process, job } = await running(scene, { deadline: 5_000 });
        const next = await chained(scene, process, job, { deadline });

        if (typeof deadline === "number") {
          assert(Math.abs(leftOf(next) - deadline) < 5_000, `${leftOf(next)} ms are left`);
        } else assertEquals(next.args, { deadline: deadline.getTime() });
      });
    }

    it("leaves none in its row", async (scene) => {
      const { process, job } = await running(scene, { deadline: 5_000 });

      assertEquals((await chained(scene, process, job, {})).args, undefined);
    });
  });
}

function leftOf({ args, at }: Job): number {
  return (args as { readonly deadline: number }).deadline - at;
}

async function running(scene: Scene, part: Partial<NewJob>) {
  const process = await scene.register();
  await scene.open({}, part);
  return { process, job: await scene.claimOne(process) };
}

/** Lets another job go on in the row of this one, gives it back, and claims it. */
async function chained(
  scene: Scene,
  process: string,
  job: Job,
  part: Partial<NewJob>,
): Promise<Job> {
  const { id, instance } = job;
  const reused = scene.job({ id, instance, step: "ship", owned: true, ...part });
  const more = { control: activeIn("ship"), recorded: [recorded("pack")], reused };
  await scene.store.commit(process, [turn(instance, more)]);
  await scene.queue.release([{ ...leaseOf(job, process), token: job.token + 1 }]);
  return await scene.claimOne(process);
}
