import { describe } from "node:test";
import { assertEquals } from "@std/assert";
import type { VersionGraph } from "../../src/backend/graphs.ts";
import { activeIn, type It, turn } from "./world.ts";

const entered = (fingerprint: string, part: Partial<VersionGraph> = {}): VersionGraph => ({
  workflow: "order",
  version: 1,
  fingerprint,
  graph: `[{"name": "pack", "of": "${fingerprint}"}]`,
  ...part,
});

export function graphs(it: It): void {
  describe("compare()", () => {
    it("finds nothing where no instance is open", async ({ store }) => {
      assertEquals(await store.compare([entered("1")]), []);
      assertEquals(await store.compare([entered("2")]), []);
      assertEquals(await store.compare([]), []);
    });

    it("counts the open instances of each other graph, the most first", async (scene) => {
      const process = await scene.register();
      await scene.store.compare([entered("1")]);
      await scene.store.compare([entered("-2")]);
      const [over] = [await scene.open({ graph: "1" }), await scene.open({ graph: "1" })];
      for (let n = 0; n < 2; n++) await scene.open({ graph: "-2" });
      await scene.store.commit(process, [turn(over, { status: "completed", control: activeIn() })]);

      const others = await scene.store.compare([entered("3")]);

      const found = others.map(({ graph: _, ...other }) => other);
      const of = { workflow: "order", version: 1, mixed: false };
      assertEquals(found, [
        { ...of, fingerprint: "-2", open: 2 },
        { ...of, fingerprint: "1", open: 1 },
      ]);
      assertEquals(JSON.parse(others[0]!.graph), [{ name: "pack", of: "-2" }]);
    });

    it("says whether instances of the graph itself are open, too", async (scene) => {
      await scene.store.compare([entered("1")]);
      await scene.open({ graph: "1" });
      await scene.open({ graph: "2" });

      const [other] = await scene.store.compare([entered("2")]);

      assertEquals([other?.fingerprint, other?.open, other?.mixed], ["1", 1, true]);
    });

    it("keeps versions and workflows apart", async (scene) => {
      await scene.store.compare([entered("1"), entered("2", { version: 2 })]);
      await scene.open({ graph: "1" });

      assertEquals(await scene.store.compare([entered("2", { version: 2 })]), []);
      assertEquals(await scene.store.compare([entered("3", { workflow: "mail" })]), []);
    });

    it("counts no instance of which no graph is known", async (scene) => {
      await scene.open({ graph: undefined });

      assertEquals(await scene.store.compare([entered("1")]), []);
    });
  });
}
