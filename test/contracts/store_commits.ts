import { activeIn, delivery, type It, newId, recorded, type Scene, turn } from "./world.ts";
import { describe } from "node:test";
import { assertEquals } from "@std/assert";

const wake = { queue: "default", workflow: "order", version: 1 };

export function commits(it: It): void {
  describe("commit()", () => {
    it("moves the instance and everything that follows from it", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" });
      const job = await scene.claimOne(process);
      await scene.elapse(1_000);

      const written = await scene.store.commit(process, [
        turn(id, {
          status: "waiting",
          control: activeIn("ship"),
          metadata: '{"weight":2}',
          recorded: [recorded("pack", { output: '{"boxes":1}', duration: 40, attempt: 1 })],
          settled: [job.id],
          started: [scene.job({ instance: id, step: "ship", owned: true })],
        }),
      ]);

      assertEquals([...written], [[id, (await scene.listed(id)).updatedAt]]);
      const known = await scene.known(id);
      assertEquals([known.revision, known.status, known.metadata], [2, "waiting", { weight: 2 }]);
      assertEquals([...known.control.active.keys()], ["ship"]);
      assertEquals(await scene.standing(id), ["execute ship executing"]);
      const [entry] = await scene.store.history(id);
      assertEquals([entry?.event, entry?.output, entry?.revision], ["ok", { boxes: 1 }, 2]);
      assertEquals([entry?.state, entry?.process], ["applied", process]);
      assertEquals(entry!.at.getTime() - entry!.startedAt!.getTime(), 40);
      const listed = await scene.listed(id);
      assertEquals(listed.updatedAt.getTime() - listed.insertedAt.getTime() >= 1_000, true);
    });

    it("writes nothing of a turn that is stale, and all of the others", async (scene) => {
      const process = await scene.register();
      const [stale, fresh] = [await scene.open({}, {}), await scene.open({}, {})];
      const [job] = await scene.jobsOf(stale);
      await scene.store.commit(process, [turn(stale)]);
      const late = turn(stale, {
        status: "completed",
        recorded: [recorded("pack")],
        settled: [job!.id],
        started: [scene.job({ instance: stale, step: "ship" })],
        wake,
      });

      const written = await scene.store.commit(process, [late, turn(fresh, { status: "waiting" })]);

      assertEquals([...written.keys()], [fresh]);
      const known = await scene.known(stale);
      assertEquals([known.revision, known.status], [2, "running"]);
      assertEquals(await scene.store.history(stale), []);
      assertEquals(await scene.standing(stale), ["execute pack available"]);
      assertEquals((await scene.known(fresh)).status, "waiting");
    });

    it("lets one of ten win that move an instance at once", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();

      const tries = Array.from(
        { length: 10 },
        (_, at) => scene.store.commit(process, [turn(id, { recorded: [recorded(`step-${at}`)] })]),
      );
      const written = await Promise.all(tries);

      assertEquals(written.filter((ids) => ids.has(id)).length, 1);
      assertEquals((await scene.store.history(id)).length, 1);
    });

    it("writes nothing for a process that was declared dead", async (scene) => {
      const process = await scene.register(1_000);
      const id = await scene.open();
      await scene.elapse(2_000);
      await scene.queue.rescue();

      const written = await scene.store.commit(process, [turn(id, { status: "completed" })]);

      assertEquals([...written.keys()], []);
      assertEquals((await scene.known(id)).revision, 1);
    });

    it("writes nothing for an instance that is not there", async (scene) => {
      const process = await scene.register();

      assertEquals((await scene.store.commit(process, [turn(newId())])).size, 0);
      assertEquals((await scene.store.commit(process, [])).size, 0);
    });

    it("writes hundreds of turns at once", async (scene) => {
      const process = await scene.register();
      const opened = Array.from({ length: 300 }, () => scene.instance());
      await scene.store.open(undefined, opened);

      const turns = opened.map(({ id }) =>
        turn(id, {
          recorded: [recorded("pack")],
          started: [scene.job({ instance: id, owned: true })],
        })
      );
      const written = await scene.store.commit(process, turns);

      assertEquals([...written.keys()].sort(), opened.map(({ id }) => id));
      assertEquals((await scene.queue.heartbeat(process, 30_000))?.owned.length, 300);
    });

    it("is stale when a result that it would record is there already", async (scene) => {
      const process = await scene.register();
      const [met, other] = [await scene.open(), await scene.open()];
      await scene.store.deliver(delivery(met, "pack"));

      const written = await scene.store.commit(process, [
        turn(met, { status: "completed", recorded: [recorded("pack")] }),
        turn(other, { recorded: [recorded("pack")] }),
      ]);

      assertEquals([...written.keys()], [other]);
      const known = await scene.known(met);
      assertEquals([known.revision, known.status], [1, "running"]);
      assertEquals((await scene.store.history(met)).map((entry) => entry.event), ["approved"]);
    });

    it("marks what was read as applied or as ignored", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("approval") });
      for (const step of ["approval", "late", "other"]) {
        await scene.store.deliver(delivery(id, step));
      }

      await scene.store.commit(process, [
        turn(id, {
          processed: [
            { step: "approval", activation: 1, waits: false, causes: ["pack", "route"] },
            { step: "late", activation: 1, waits: false, causes: undefined },
          ],
        }),
      ]);

      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.step, entry.state, entry.revision]),
        [["approval", "applied", 2], ["late", "ignored", undefined], [
          "other",
          "pending",
          undefined,
        ]],
      );
      assertEquals((await scene.store.unprocessed([id])).map((row) => row.step), ["other"]);
      assertEquals((await scene.store.ended(id, undefined)).map((row) => row.causes), [[
        "pack",
        "route",
      ]]);
    });

    it("leaves the metadata alone when it is not given", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ metadata: '{"by":"maria"}' });

      await scene.store.commit(process, [turn(id)]);

      assertEquals((await scene.known(id)).metadata, { by: "maria" });
    });

    it("starts jobs as owned, as available and for later", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();
      const started = [
        scene.job({ instance: id, step: "owned", owned: true }),
        scene.job({ instance: id, step: "later", delay: 60_000 }),
        scene.job({ instance: id, step: "now", args: "[1]" }),
      ];

      await scene.store.commit(process, [turn(id, { started })]);

      const jobs = await scene.jobsOf(id);
      assertEquals(
        jobs.map((job) => [job.id, job.step, job.state, job.process, job.attempt]),
        [
          [started[0]!.id, "owned", "executing", process, 1],
          [started[1]!.id, "later", "scheduled", undefined, 0],
          [started[2]!.id, "now", "available", undefined, 0],
        ],
      );
      assertEquals(jobs[1]!.scheduledAt.getTime() - jobs[2]!.scheduledAt.getTime(), 60_000);
      assertEquals((await scene.claimOne(process)).args, [1]);
    });

    it("deletes what remains of a wait that has ended, and nothing else", async (scene) => {
      const process = await scene.register();
      const [id, other] = [await scene.open(), await scene.open()];
      const rows = [
        { instance: id, kind: "resume", step: "approval", delay: 1_000 },
        { instance: id, kind: "execute", step: "approval" },
        { instance: id, kind: "resume", step: "cooldown", delay: 1_000 },
        { instance: other, kind: "resume", step: "approval", delay: 1_000 },
      ];
      await scene.enqueue(...rows);

      await scene.store.commit(process, [
        turn(id, { resolved: [{ step: "approval", activation: 1 }] }),
      ]);

      assertEquals(await scene.standing(id), ["resume cooldown scheduled"]);
      assertEquals(await scene.standing(other), ["resume approval scheduled"]);
    });

    it("asks for an advance unless one waits", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();

      await scene.store.commit(process, [turn(id, { wake })]);
      await scene.store.commit(process, [turn(id, { revision: 2, wake })]);

      const [job, ...rest] = await scene.claim(process);
      assertEquals([job?.kind, job?.step, rest], ["advance", undefined, []]);
      await scene.store.commit(process, [turn(id, { revision: 3, wake })]);
      assertEquals(await scene.standing(id), ["advance - available", "advance - executing"]);
    });

    it("keeps the row that says waiting beside the delivery that ends the wait", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("parcel") });
      const waiting = recorded("parcel", { waits: true, event: "__async__" });

      await scene.store.commit(process, [
        turn(id, { control: activeIn("parcel"), recorded: [waiting] }),
      ]);

      const delivered = await scene.store.deliver(delivery(id, "parcel", { event: "arrived" }));
      assertEquals(delivered, { kind: "accepted" });
      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.activation, entry.event, entry.state]),
        [[1, "__async__", "applied"], [1, "arrived", "pending"]],
      );
    });
  });

  describe("commit() of a final status", () => {
    it("deletes the other jobs of an instance that is completed", async (scene) => {
      const { process, id } = await crowded(scene);

      await scene.store.commit(process, [turn(id, { status: "completed" })]);

      assertEquals(await scene.standing(id), ["advance - available"]);
      assertEquals(await finished(scene, id), true);
    });

    for (const status of ["failed", "cancelled"] as const) {
      it(`cancels the other jobs of an instance that is ${status}`, async (scene) => {
        const { process, id } = await crowded(scene);
        const error = '{"name":"Error","message":"no"}';

        await scene.store.commit(process, [turn(id, { status, error })]);

        assertEquals(await scene.standing(id), [
          "advance - available",
          "execute executing cancelled",
          "execute retryable cancelled",
          "execute waiting cancelled",
          "resume scheduled cancelled",
        ]);
        const jobs = (await scene.jobsOf(id)).filter((job) => job.state === "cancelled");
        assertEquals(jobs.every((job) => job.finishedAt !== undefined && !job.process), true);
        assertEquals(await finished(scene, id), true);
        const [listed] = await scene.store.list({ ids: [id], limit: 1 });
        assertEquals(listed?.error, { name: "Error", message: "no" });
      });
    }
  });
}

/** An instance with a job in every live state, an advance among them. */
async function crowded(scene: Scene): Promise<{ readonly process: string; readonly id: string }> {
  const process = await scene.register();
  const id = await scene.open({}, { step: "executing" }, { step: "retryable", priority: 6 });
  const [, second] = await scene.claim(process);
  const failure = { name: "Error", message: "once" };
  await scene.queue.retry({ process, id: second!.id, token: 1 }, [failure], 0);
  await scene.enqueue(
    { instance: id, step: "waiting" },
    { instance: id, kind: "resume", step: "scheduled", delay: 1_000 },
  );
  await scene.store.deliver(delivery(id, "approval"));
  return { process, id };
}

async function finished(scene: Scene, id: string): Promise<boolean> {
  const [listed] = await scene.store.list({ ids: [id], limit: 1 });
  return listed?.finishedAt?.getTime() === listed?.updatedAt.getTime();
}
