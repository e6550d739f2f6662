import { cancelled, type It, type Scene, turn, until } from "./world.ts";
import { describe } from "node:test";
import { emptyControl, encodeControl } from "../../src/core/engine/control.ts";

/** What tells callers that wait for the end of an instance. */
export function watches(it: It): void {
  describe("watch()", () => {
    const control = encodeControl(emptyControl);
    const ways = {
      "a turn completes": async (scene: Scene, id: string) => {
        await scene.store.commit(await scene.register(), [
          turn(id, { status: "completed", control }),
        ]);
      },
      "somebody cancels": async (scene: Scene, id: string) => {
        await scene.store.commitLocked(id, (state) => cancelled(state));
      },
    };
    for (const [when, end] of Object.entries(ways)) {
      it(`tells which instance has ended when ${when}`, async (scene) => {
        const ended = new Set<string>();
        await using _ = scene.store.watch((ids) => ids.forEach((id) => ended.add(id)));

        await until(async () => {
          const id = await scene.open();
          await end(scene, id);
          return ended.has(id);
        });
      });
    }
  });
}
