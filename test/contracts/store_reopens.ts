import { describe } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { Reopening } from "../../src/backend/store.ts";
import type { HistoryEntry } from "../../src/core/engine/instance.ts";
import type { Turn } from "../../src/backend/turn.ts";
import {
  activeIn,
  delivery,
  failing,
  type It,
  leaseOf,
  newId,
  recorded,
  type Scene,
  turn,
} from "./world.ts";

function reopening(id: string, part: Partial<Reopening & Turn> = {}): Reopening {
  const { uniqueKey, unread = [], ...more } = part;
  const control = activeIn("pack");
  return { uniqueKey, unread, turn: turn(id, { revision: 2, control, ...more }) };
}

/** An instance that has failed. */
async function failedIn(scene: Scene, process: string, uniqueKey?: string): Promise<string> {
  const id = await scene.open({ uniqueKey }, { step: "pack" }, { step: "label", priority: 6 });
  const job = await scene.claimOne(process);
  await scene.store.commit(process, [failing(job)]);
  return id;
}

export function reopens(it: It): void {
  describe("reopen()", () => {
    it("makes a failed instance active, with new jobs and no other", async (scene) => {
      const process = await scene.register();
      const id = await failedIn(scene, process);
      const seen: HistoryEntry[] = [];
      const started = [scene.job({ instance: id, activation: 2 })];
      const row = { event: "__retried__", output: '{"by":"maria"}' };

      const reopened = await scene.store.reopen(id, (state, history) => {
        assertEquals([state.status, state.revision], ["failed", 2]);
        seen.push(...history);
        return reopening(id, { started, recorded: [recorded("^", row)] });
      });

      const listed = await scene.listed(id);
      assertEquals(reopened, { kind: "written", at: listed.updatedAt });
      assertEquals([listed.status, listed.revision, listed.active], ["running", 3, ["pack"]]);
      assertEquals([listed.error, listed.finishedAt], [undefined, undefined]);
      assertEquals(seen.map(({ step, event }) => `${step} ${event}`), ["pack __failed__"]);
      assertEquals(await scene.standing(id), ["execute pack available"]);
      const history = await scene.store.history(id);
      assertEquals(history.map(({ step, event, revision }) => [step, event, revision]), [
        ["pack", "__failed__", 2],
        ["^", "__retried__", 3],
      ]);
      assertEquals(history[1]?.output, { by: "maria" });
    });

    it("leaves alone what is missing or not wanted", async (scene) => {
      const process = await scene.register();
      const failed = await failedIn(scene, process);
      const before = await scene.standing(failed);

      const ask = () => {
        throw new RangeError("It must not be asked");
      };
      assertEquals(await scene.store.reopen(newId(), ask), { kind: "kept", status: undefined });
      assertEquals(await scene.store.reopen(failed, () => undefined), {
        kind: "kept",
        status: "failed",
      });
      await assertRejects(() => scene.store.reopen(failed, ask), RangeError);

      assertEquals(await scene.standing(failed), before);
      assertEquals((await scene.known(failed)).revision, 2);
    });

    it("writes a turn of an active instance, and leaves its other jobs and results", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ uniqueKey: "key" }, { step: "pack" }, { step: "label" });
      await scene.store.deliver(delivery(id, "payment"));
      const started = [scene.job({ instance: id, step: "pack", activation: 2 })];
      const part = { revision: 1, resolved: [{ step: "pack", activation: 1 }], started };

      const reopened = await scene.store.reopen(id, (state) => {
        assertEquals(state.status, "running");
        return reopening(id, { ...part, recorded: [recorded("^pack", { event: "__rewound__" })] });
      });

      assertEquals(reopened.kind, "written");
      const jobs = await scene.standing(id);
      assertEquals([...jobs].sort(), [
        "advance - available",
        "execute label available",
        "execute pack available",
      ]);
      assertEquals((await scene.store.unprocessed([id])).map(({ step }) => step), ["payment"]);
      assertEquals((await scene.known(id)).revision, 2);
      assertEquals((await scene.store.history(id))[0]?.step, "^pack");
      await scene.claimOne(process);
    });

    it("does not take a key from an active instance", async (scene) => {
      const process = await scene.register();
      const id = await failedIn(scene, process, "key");
      const by = await scene.open({ uniqueKey: "key" });

      const reopened = await scene.store.reopen(id, () => reopening(id, { uniqueKey: "key" }));

      assertEquals(reopened, { kind: "taken", by });
      assertEquals((await scene.listed(id)).error?.message, "out of tape");
    });

    it("holds its key again, even if it had none when it failed", async (scene) => {
      const process = await scene.register();
      const id = await failedIn(scene, process);
      await scene.store.reopen(id, () => reopening(id, { uniqueKey: "key" }));

      const other = scene.instance({ uniqueKey: "key" });

      assertEquals((await scene.store.open(undefined, [other])).size, 0);
    });

    it("makes results unread, and schedules deliveries again", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" });
      const job = await scene.claimOne(process);
      const args = JSON.stringify({ event: "approved", delivery: newId() });
      await scene.enqueue(
        { instance: id, kind: "resume", step: "approval", delay: 60_000, args },
        { instance: id, kind: "resume", step: "wait", delay: 60_000, args: '{"event":"expired"}' },
      );
      await scene.store.deliver(delivery(id, "payment"));
      const key = { step: "payment", activation: 1, waits: false };
      const processed = [{ ...key, causes: undefined }];
      await scene.store.commit(process, [failing(job, { processed })]);

      await scene.store.reopen(id, () => reopening(id, { unread: [key] }));

      assertEquals(await scene.standing(id), ["resume approval scheduled"]);
      const unread = await scene.store.unprocessed([id]);
      assertEquals(unread.map(({ step }) => step), ["payment"]);
    });

    it("is not undone by an advance that takes the instance for final", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" });
      const job = await scene.claimOne(process);
      await scene.store.deliver(delivery(id, "payment"));
      const advance = await scene.claimOne(process);
      await scene.store.commit(process, [failing(job)]);
      const key = { step: "payment", activation: 1, waits: false };
      const wake = { queue: "default", workflow: "order", version: 1 };
      await scene.store.reopen(id, () => reopening(id, { wake }));

      await scene.store.pass([{
        lease: leaseOf(advance, process),
        instance: id,
        ignored: [key],
      }]);

      const unread = await scene.store.unprocessed([id]);
      assertEquals(unread.map(({ step }) => step), ["payment"]);
      assertEquals(await scene.standing(id), ["advance - available"]);
    });
  });
}
