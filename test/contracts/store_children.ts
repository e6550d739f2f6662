import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import { activeIn, type It, leaseOf, newId, recorded, type Scene, turn } from "./world.ts";

const parent = (instance: string) => ({ instance, step: "refund", activation: 2 });
const controlOf = (instance: string) =>
  JSON.stringify({
    active: { pay: "" },
    parent: { ...parent(instance), depth: 1, queue: "told", detached: false },
  });

/** A parent whose step waits, and its child. */
async function family(scene: Scene) {
  const process = await scene.register();
  const id = await scene.open({ control: '{"active":{"refund":"@2"},"later":["refund"]}' });
  const child = scene.instance({ control: controlOf(id), parent: parent(id) });
  await scene.store.open(undefined, [child]);
  return { process, id, child: child.id };
}

const tells = (id: string, child: string) => ({
  ...parent(id),
  queue: "told",
  args: JSON.stringify({ delivery: child, child }),
});
const over = { status: "completed", control: '{"active":{}}' } as const;

export function children(it: It): void {
  describe("a child", () => {
    it("tells its parent in the turn that ends it", async (scene) => {
      const { process, id, child } = await family(scene);
      const others = [tells(id, child)];

      const stale = turn(child, { ...over, revision: 9, others });
      assertEquals((await scene.store.commit(process, [stale])).size, 0);
      assertEquals(await scene.standing(id), []);
      await scene.store.commit(process, [turn(child, { ...over, others })]);

      assertEquals(await scene.standing(id), ["resume refund available"]);
      assertEquals((await scene.jobsOf(id)).map(({ queue }) => queue), ["told"]);
    });

    it("tells nobody if its parent has ended or is gone", async (scene) => {
      const { process, id, child } = await family(scene);
      await scene.store.commit(process, [turn(id, over)]);
      const nobody = newId();

      const others = [tells(id, child), tells(nobody, child)];
      assertEquals((await scene.store.commit(process, [turn(child, { ...over, others })])).size, 1);

      assertEquals([await scene.standing(id), await scene.standing(nobody)], [[], []]);
    });

    it("is cancelled by a job even if it has ended: it may be retried meanwhile", async (scene) => {
      const { process, id, child } = await family(scene);
      await scene.store.commit(process, [turn(child, over)]);
      const args = JSON.stringify({ delivery: id, step: "refund" });
      const withdrawn = { instance: child, step: "!withdrawn", activation: 1, queue: "told", args };

      await scene.store.commit(process, [turn(id, { others: [withdrawn] })]);

      assertEquals(await scene.standing(child), ["resume !withdrawn available"]);
    });

    it("tells its parent when it is deleted", async (scene) => {
      const { process, id, child } = await family(scene);

      await scene.store.delete(child, { force: true });

      assertEquals(await scene.standing(id), ["resume refund available"]);
      const [job] = await scene.claim(process, { queue: "told" });
      assertEquals([job?.activation, job?.args], [2, { delivery: child, child }]);
    });

    it("is found by its parent, and knows it", async (scene) => {
      const { id, child } = await family(scene);

      const found = await scene.store.list({ parent: id, limit: 9 });

      assertEquals(found.map(({ id, parent }) => [id, parent]), [[child, parent(id)]]);
      assertEquals(await scene.store.list({ parent: child, limit: 9 }), []);
    });

    it("starts with the turn of its parent or not at all", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("refund") }, { step: "refund" });
      const job = await scene.claimOne(process);
      const child = scene.instance({ control: controlOf(id), parent: parent(id) });
      const waits = recorded("refund", { event: "__async__", waits: true });
      const start = (revision: number) =>
        scene.store.transaction(async (tx) => {
          await tx.open(process, [child]);
          const written = await tx.commit(process, [
            turn(id, { revision, recorded: [waits], settled: [job.id] }),
          ]);
          if (written.size === 0) throw new Error("stale");
        });

      assertEquals(await start(7).catch(({ message }) => message), "stale");
      assertEquals(await scene.store.read([child.id]), []);
      await start(1);

      assertEquals((await scene.store.read([child.id])).length, 1);
      assertEquals(await scene.queue.retry(leaseOf(job, process), [], 0), false);
    });
  });
}
