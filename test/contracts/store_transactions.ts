import { type It, recorded, recording, turn } from "./world.ts";
import { describe } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";

export function transactions(it: It): void {
  describe("transaction()", () => {
    it("writes what was done in it, and returns what it returns", async (scene) => {
      const process = await scene.register();
      const [one, two] = [await scene.open({}, {}), await scene.open()];
      const job = await scene.claimOne(process);

      const answer = await scene.store.transaction(async (tx) => {
        const standing = await tx.record([recording(job, process)]);
        const written = await tx.commit(process, [turn(two, { recorded: [recorded("pack")] })]);
        return [...standing, ...written.keys()];
      });

      assertEquals(answer, [job.id, two]);
      assertEquals((await scene.store.history(one)).length, 1);
      assertEquals((await scene.known(two)).revision, 2);
      assertEquals(await scene.standing(one), ["advance - available"]);
    });

    it("writes nothing when it throws", async (scene) => {
      const process = await scene.register();
      const [one, two] = [await scene.open({}, {}), await scene.open()];
      const job = await scene.claimOne(process);

      const rejected = scene.store.transaction(async (tx) => {
        await tx.record([recording(job, process)]);
        await tx.commit(process, [turn(two, { started: [scene.job({ instance: two })] })]);
        throw new RangeError("Cannot go on");
      });
      await assertRejects(() => rejected, RangeError, "Cannot go on");

      assertEquals(await scene.store.history(one), []);
      assertEquals(await scene.standing(one), ["execute pack executing"]);
      assertEquals([(await scene.known(two)).revision, await scene.jobsOf(two)], [1, []]);
    });

    it("sees its own writes, and nobody else does before its end", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();

      const seen = await scene.store.transaction(async (tx) => {
        await tx.commit(process, [turn(id)]);
        const before = (await scene.known(id)).revision;
        const own = await tx.commit(process, [turn(id, { revision: 2 })]);
        return [before, own.has(id)];
      });

      assertEquals(seen, [1, true]);
      assertEquals((await scene.known(id)).revision, 3);
    });

    it("tells what is stale as outside of it", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();

      const written = await scene.store.transaction((tx) =>
        tx.commit(process, [turn(id, { revision: 7 })])
      );

      assertEquals(written.size, 0);
    });

    it("lets one of five win that move an instance at once", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();

      const tries = Array.from(
        { length: 5 },
        () => scene.store.transaction((tx) => tx.commit(process, [turn(id)])),
      );
      const written = await Promise.all(tries);

      assertEquals(written.filter((ids) => ids.has(id)).length, 1);
      assertEquals((await scene.known(id)).revision, 2);
    });
  });
}
