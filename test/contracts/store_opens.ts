import { activeIn, type It, newId, recorded } from "./world.ts";
import { describe } from "node:test";
import { assert, assertEquals } from "@std/assert";

export function opens(it: It): void {
  describe("open()", () => {
    it("inserts an instance as it was given", async (scene) => {
      const id = await scene.open({
        version: 3,
        key: "orderid::ü",
        status: "waiting",
        control: activeIn("approval"),
        tags: ["eu", "a,b", 'c"d'],
        metadata: '{"by":"maria"}',
        input: '{"total":12.5,"lines":[{"sku":"🪛"}],"note":null}',
      });

      const { control, insertedAt, ...known } = await scene.known(id);

      assertEquals(known, {
        id,
        workflow: "order",
        version: 3,
        graph: "1",
        key: "orderid::ü",
        revision: 1,
        status: "waiting",
        metadata: { by: "maria" },
        tags: ["eu", "a,b", 'c"d'],
        input: { total: 12.5, lines: [{ sku: "🪛" }], note: null },
      });
      assertEquals([...control.active], [["approval", { activation: 1, cause: "" }]]);
      const listed = await scene.listed(id);
      assertEquals(insertedAt, listed.insertedAt);
      assertEquals([listed.active, listed.finishedAt, listed.error], [
        ["approval"],
        undefined,
        undefined,
      ]);
      assertEquals(listed.insertedAt.getTime(), listed.updatedAt.getTime());
    });

    it("finds an instance that is there from an earlier try, and puts nothing in twice", async (scene) => {
      const id = newId();
      const given = scene.instance({ id, uniqueKey: "k", started: [scene.job({ instance: id })] });

      const first = await scene.store.open(undefined, [given]);
      assertEquals([...first], [[id, (await scene.listed(id)).insertedAt]]);
      await scene.elapse(1_000);
      const second = await scene.store.open(undefined, [given]);
      assertEquals([...second], [[id, (await scene.listed(id)).insertedAt]]);

      assertEquals(await scene.standing(id), ["execute pack available"]);
    });

    it("lets one of ten win that start one key at once", async (scene) => {
      const rivals = Array.from({ length: 10 }, () => {
        const id = newId();
        return scene.instance({ id, uniqueKey: "k", started: [scene.job({ instance: id })] });
      });

      const opened = await Promise.all(rivals.map((one) => scene.store.open(undefined, [one])));

      const winners = opened.flatMap((ids) => [...ids.keys()]);
      assertEquals(winners.length, 1);
      assertEquals((await scene.store.list({ limit: 100 })).map((one) => one.id), winners);
      assertEquals((await scene.jobs()).map((job) => job.instance), winners);
    });

    it("costs the others of a batch nothing when one key is taken", async (scene) => {
      await scene.open({ uniqueKey: "taken" });
      const [one, two, three] = ["free", "taken", undefined].map((uniqueKey) =>
        scene.instance({ uniqueKey })
      );

      const opened = await scene.store.open(undefined, [one!, two!, three!]);

      assertEquals([...opened.keys()].sort(), [one!.id, three!.id]);
    });

    it("lets the first win of two in one batch that share a key", async (scene) => {
      const pair = [scene.instance({ uniqueKey: "k" }), scene.instance({ uniqueKey: "k" })];

      const opened = await scene.store.open(undefined, pair);

      assertEquals(opened.size, 1);
      assertEquals((await scene.store.list({ limit: 10 })).length, 1);
    });

    for (const status of ["completed", "failed", "cancelled"] as const) {
      it(`neither takes nor keeps a key once it is ${status}`, async (scene) => {
        await scene.open({ uniqueKey: "k", status });
        await scene.open({ uniqueKey: "k" });
        await scene.open({ uniqueKey: "k", status });

        assertEquals((await scene.store.list({ limit: 10 })).length, 3);
      });
    }

    it("finishes an instance that is final from the start", async (scene) => {
      const error = '{"name":"Error","message":"nowhere to go"}';
      const id = await scene.open({ status: "failed", control: activeIn(), error });

      const [listed] = await scene.store.list({ ids: [id], limit: 1 });

      assertEquals(listed?.error, { name: "Error", message: "nowhere to go" });
      assertEquals(listed?.finishedAt?.getTime(), listed?.insertedAt.getTime());
    });

    it("records the choices of the start", async (scene) => {
      const id = await scene.open({ recorded: [recorded("route", { output: "1" })] });

      const [entry] = await scene.store.history(id);

      assertEquals([entry?.step, entry?.output, entry?.state, entry?.revision], [
        "route",
        1,
        "applied",
        1,
      ]);
    });

    it("hands jobs over to the process that opens", async (scene) => {
      const process = await scene.register();
      const id = newId();
      const started = [
        scene.job({ instance: id, step: "owned", owned: true }),
        scene.job({ instance: id, step: "later", delay: 1_000 }),
        scene.job({ instance: id, step: "now" }),
      ];

      await scene.store.open(process, [scene.instance({ id, started })]);

      const jobs = await scene.jobsOf(id);
      assertEquals(
        jobs.map((job) => [job.step, job.state, job.process, job.attempt]),
        [
          ["owned", "executing", process, 1],
          ["later", "scheduled", undefined, 0],
          ["now", "available", undefined, 0],
        ],
      );
      const lease = { process, id: started[0]!.id, token: 1 };
      assert(await scene.queue.snooze(lease, 0));
    });

    it("leaves jobs to everybody when the process that opens is not registered", async (scene) => {
      const dead = await scene.register();
      await scene.queue.unregister(dead);

      for (const process of [dead, undefined]) {
        const id = newId();
        const started = [scene.job({ instance: id, owned: true })];
        await scene.store.open(process, [scene.instance({ id, started })]);

        const [job] = await scene.jobsOf(id);
        assertEquals([job?.state, job?.process, job?.attempt], ["available", undefined, 0]);
      }
    });
  });
}
