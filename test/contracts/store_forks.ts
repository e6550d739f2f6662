import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import type { Forking } from "../../src/backend/store.ts";
import { delivery, type It, newId, recorded, type Scene, turn } from "./world.ts";

/** A fork that takes over what packed the source. */
function forking(scene: Scene, part: Partial<Forking["instance"]> = {}): Forking {
  const row = recorded("^", { event: "__forked__", output: '{"by":"maria"}' });
  const made = scene.instance({ ...part, recorded: [row] });
  return {
    instance: { ...made, started: [scene.job({ instance: made.id, step: "label" })] },
    revision: 2,
    copied: [{ step: "pack", activation: 1, waits: false, revision: 1 }],
  };
}

/** An instance in which two steps have ended. */
async function packedIn(scene: Scene): Promise<string> {
  const process = await scene.register();
  const id = await scene.open({}, {});
  const packed = recorded("pack", { output: '{"box":7}', metadata: '{"heavy":true}' });
  const rows = [{ ...packed, causes: ["order"] }, recorded("label", {})];
  await scene.store.commit(process, [turn(id, { recorded: rows })]);
  return id;
}

export function forks(it: It): void {
  describe("fork()", () => {
    it("inserts an instance with results of another one, which does not change", async (scene) => {
      const source = await packedIn(scene);
      const before = await scene.listed(source);
      const next = forking(scene);
      const { id } = next.instance;
      let seen: readonly string[] = [];

      const forked = await scene.store.fork(source, (state, history) => {
        seen = [state.id, ...history.map(({ step }) => step)];
        return next;
      });

      const made = await scene.listed(id);
      assertEquals(forked, { kind: "written", at: made.insertedAt });
      assertEquals(seen, [source, "pack", "label"]);
      assertEquals([made.revision, made.status], [2, "running"]);
      assertEquals(await scene.listed(source), before);
      const history = await scene.store.history(id);
      assertEquals(history.map(({ step, revision, state }) => [step, revision, state]), [
        ["pack", 1, "applied"],
        ["^", 2, "applied"],
      ]);
      const [was] = await scene.store.history(source);
      assertEquals(history[0], { ...was!, revision: 1 });
      const [ended] = await scene.store.ended(id, [{ step: "pack", activation: 1 }]);
      assertEquals([ended?.causes, ended?.output], [["order"], { box: 7 }]);
      assertEquals(await scene.standing(id), ["execute label available"]);
    });

    it("is written once, whatever has happened since", async (scene) => {
      const source = await packedIn(scene);
      const next = forking(scene);
      const { id } = next.instance;
      await scene.store.fork(source, () => next);
      await scene.store.deliver(delivery(id, "payment"));

      assertEquals((await scene.store.fork(source, () => next)).kind, "written");

      assertEquals((await scene.store.history(id)).length, 3);
      assertEquals((await scene.known(id)).revision, 2);
    });

    it("does not take a key from an active instance", async (scene) => {
      const source = await packedIn(scene);
      const by = await scene.open({ uniqueKey: "key" });
      const next = forking(scene, { uniqueKey: "key" });

      assertEquals(await scene.store.fork(source, () => next), { kind: "taken", by });
      assertEquals(await scene.store.history(next.instance.id), []);
    });

    it("leaves alone what is missing or not wanted", async (scene) => {
      const source = await packedIn(scene);
      const ask = () => {
        throw new RangeError("It must not be asked");
      };

      assertEquals(await scene.store.fork(newId(), ask), { kind: "kept", status: undefined });
      const kept = await scene.store.fork(source, () => undefined);
      assertEquals(kept, { kind: "kept", status: "running" });
    });
  });
}
