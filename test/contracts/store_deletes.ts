import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { delivery, type It, newId, recording } from "./world.ts";

export function deletes(it: It): void {
  describe("delete()", () => {
    it("deletes a final instance with its results and its jobs, and no other's", async (scene) => {
      const id = await scene.open({ status: "completed" }, { step: "pack" });
      const other = await scene.open({ status: "completed" }, { step: "pack" });
      await scene.enqueue({ instance: id, kind: "resume", step: "later", delay: 60_000 });
      const process = await scene.register();
      const jobs = await scene.claim(process);
      await scene.store.record(jobs.map((job) => recording(job, process)));

      const deleted = await scene.store.delete(id);

      assertEquals([deleted.kind, "status" in deleted && deleted.status], ["deleted", "completed"]);
      assertEquals(await scene.store.read([id]), []);
      assertEquals(await scene.store.history(id), []);
      assertEquals(await scene.standing(id), []);
      assertEquals((await scene.store.history(other)).length, 1);
      assertEquals(await scene.standing(other), ["advance - available"]);
    });

    it("leaves an active instance alone", async (scene) => {
      const id = await scene.open({}, {});
      await scene.store.deliver(delivery(id, "approval"));

      const deleted = await scene.store.delete(id);

      assertEquals(deleted, { kind: "active", status: "running" });
      assertEquals((await scene.known(id)).status, "running");
      assertEquals((await scene.store.history(id)).length, 1);
      assertEquals(await scene.standing(id), ["advance - available", "execute pack available"]);
    });

    it("deletes an active instance when it is forced, and what comes late changes nothing", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ uniqueKey: "order::abc123" }, {});
      const job = await scene.claimOne(process);

      const deleted = await scene.store.delete(id, { force: true });

      assertEquals([deleted.kind, "status" in deleted && deleted.status], ["deleted", "running"]);
      assertEquals((await scene.store.record([recording(job, process)])).size, 0);
      assertEquals(await scene.store.deliver(delivery(id, "approval")), { kind: "missing" });
      assertEquals(await scene.store.history(id), []);
      assertEquals(await scene.standing(id), []);
      const again = await scene.open({ uniqueKey: "order::abc123" });
      assertEquals((await scene.known(again)).id, again);
    });

    it("tells that an instance is missing", async (scene) => {
      assertEquals(await scene.store.delete(newId(), { force: true }), { kind: "missing" });
    });

    it("lets one of five win that delete an instance at once", async (scene) => {
      const id = await scene.open({ status: "failed" });

      const tries = Array.from({ length: 5 }, () => scene.store.delete(id));
      const kinds = (await Promise.all(tries)).map(({ kind }) => kind).sort();

      assertEquals(kinds, ["deleted", "missing", "missing", "missing", "missing"]);
    });

    it("tells those who watch", async (scene) => {
      const id = await scene.open({ status: "failed" });
      let tell = (_: readonly string[]) => {};
      const told = new Promise<readonly string[]>((resolve) => tell = resolve);
      await using _watch = scene.store.watch((instances) =>
        instances.length > 0 && tell(instances)
      );
      // The first notification may come before the watch listens.
      let heard = false;
      told.then(() => heard = true);
      for (let next = id; !heard; next = await scene.open({ status: "failed" })) {
        await scene.store.delete(next);
      }

      assertEquals((await told).length, 1);
    });
  });
}
