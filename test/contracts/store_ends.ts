import { describe } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { InstanceState } from "../../src/backend/store.ts";
import {
  activeIn,
  cancelled,
  delivery,
  failing,
  type It,
  newId,
  plain,
  recorded,
  recording,
  turn,
} from "./world.ts";

export function ends(it: It): void {
  describe("commitLocked()", () => {
    it("ends the instance and cancels its jobs, advances excepted", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "executing" });
      await scene.claimOne(process);
      await scene.enqueue(
        { instance: id, step: "waiting" },
        { instance: id, kind: "resume", step: "scheduled", delay: 1_000 },
      );
      await scene.store.deliver(delivery(id, "approval"));

      const ended = await scene.store.commitLocked(id, (state) => cancelled(state));

      const { finishedAt: at } = await scene.listed(id);
      assertEquals(ended, { kind: "written", at: at! });
      assertEquals(await scene.standing(id), [
        "advance - available",
        "execute executing cancelled",
        "execute waiting cancelled",
        "resume scheduled cancelled",
      ]);
      const [listed] = await scene.store.list({ ids: [id], limit: 1 });
      assertEquals([listed?.status, listed?.revision, listed?.active], ["cancelled", 2, []]);
      assertEquals(listed?.error, { name: "Error", message: "duplicate order" });
      assertEquals(listed?.finishedAt?.getTime(), listed?.updatedAt.getTime());
    });

    it("shows the instance to the function that decides", async (scene) => {
      const id = await scene.open({ control: activeIn("pack"), metadata: '{"a":1}', tags: ["eu"] });
      const expected = await scene.known(id);
      const seen: InstanceState[] = [];

      await scene.store.commitLocked(id, (known) => {
        seen.push(known);
        return undefined;
      });

      assertEquals(seen.map(plain), [plain(expected)]);
    });

    it("leaves the instance alone when there is nothing to end", async (scene) => {
      const id = await scene.open({}, {});
      const before = await scene.store.list({ ids: [id], limit: 1 });

      assertEquals(await scene.store.commitLocked(id, () => undefined), {
        kind: "kept",
        status: "running",
      });

      assertEquals(await scene.store.list({ ids: [id], limit: 1 }), before);
      assertEquals(await scene.standing(id), ["execute pack available"]);
    });

    it("tells that an instance is missing", async (scene) => {
      const ended = await scene.store.commitLocked(newId(), (state) => cancelled(state));

      assertEquals(ended, { kind: "kept", status: undefined });
    });

    it("writes nothing when the decision throws", async (scene) => {
      const id = await scene.open();
      const decide = () => {
        throw new RangeError("Cannot decide");
      };

      await assertRejects(() => scene.store.commitLocked(id, decide), RangeError, "Cannot decide");

      assertEquals((await scene.known(id)).status, "running");
    });

    it("marks kept deliveries that nobody will read", async (scene) => {
      const id = await scene.open();
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.deliver(delivery(id, "payment"));

      const processed = [{ step: "approval", activation: 1, waits: false, causes: undefined }];
      await scene.store.commitLocked(id, (state) => cancelled(state, { processed }));

      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.step, entry.state, entry.revision]),
        [["approval", "ignored", undefined], ["payment", "pending", undefined]],
      );
    });

    it("lets one of ten win that end an instance at once", async (scene) => {
      const id = await scene.open();
      const decide = (known: InstanceState) =>
        known.status === "running" ? cancelled(known) : undefined;

      const tries = Array.from({ length: 10 }, () => scene.store.commitLocked(id, decide));
      const kinds = (await Promise.all(tries)).map((ended) => ended.kind).sort();

      assertEquals(kinds, [...Array.from({ length: 9 }, () => "kept"), "written"]);
      assertEquals((await scene.known(id)).revision, 2);
    });
  });

  describe("commit() of a failure", () => {
    it("fails the instance, keeps the job and tells the story", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "label", priority: 6 });
      const job = await scene.claimOne(process);
      const errors = [{ name: "Error", message: "first" }, { name: "Error", message: "second" }];
      const told = JSON.stringify(errors);
      const result = { event: "__failed__", attempt: 2, errors: told, duration: 40 };

      const written = await scene.store.commit(process, [
        failing(job, {
          recorded: [recorded("pack", result)],
          discarded: [{ id: job.id, errors: told }],
        }),
      ]);

      const { finishedAt: at } = await scene.listed(id);
      assertEquals([...written], [[id, at!]]);
      assertEquals(await scene.standing(id), ["execute label cancelled", "execute pack discarded"]);
      const [stored] = await scene.jobsOf(id);
      assertEquals([stored?.finishedAt === undefined, stored?.process], [false, undefined]);
      const [entry] = await scene.store.history(id);
      assertEquals(entry!.at.getTime() - entry!.startedAt!.getTime(), 40);
      assertEquals([entry?.step, entry?.event, entry?.state], ["pack", "__failed__", "applied"]);
      assertEquals([entry?.attempts, entry?.errors, entry?.revision], [2, errors, 2]);
      assertEquals(entry?.process, process);
    });

    it("changes nothing when the instance has moved on", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      const written = await scene.store.commit(process, [failing(job, { revision: 2 })]);

      assertEquals(written.size, 0);
      assertEquals((await scene.known(id)).revision, 1);
      assertEquals(await scene.store.history(id), []);
      assertEquals(await scene.standing(id), ["execute pack executing"]);
    });

    it("fails once when it is repeated", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      const tries = Array.from(
        { length: 5 },
        () => scene.store.commit(process, [failing(job)]),
      );
      const written = (await Promise.all(tries)).map(({ size }) => size).sort();

      assertEquals(written, [0, 0, 0, 0, 1]);
      assertEquals((await scene.store.history(id)).length, 1);
    });

    it("writes nothing when a delivery has come first", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("parcel") }, { step: "parcel" });
      const job = await scene.claimOne(process);
      await scene.store.deliver(delivery(id, "parcel", { event: "arrived" }));

      assertEquals((await scene.store.commit(process, [failing(job)])).size, 0);

      assertEquals(await scene.standing(id), ["advance - available", "execute parcel executing"]);
      assertEquals((await scene.store.history(id)).map((entry) => entry.event), ["arrived"]);
      assertEquals((await scene.known(id)).revision, 1);
    });

    it("writes no more than the end of the instance when it is bare", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "label", priority: 6 });
      const job = await scene.claimOne(process);
      const bare = { bare: true, recorded: [], discarded: [], settled: [job.id] };

      assertEquals((await scene.store.commit(process, [failing(job, bare)])).size, 1);

      assertEquals(await scene.standing(id), []);
      assertEquals(await scene.store.history(id), []);
      const [listed] = await scene.store.list({ ids: [id], limit: 1 });
      assertEquals([listed?.status, listed?.revision], ["failed", 2]);
    });

    it("touches no jobs but its own instance's, beside other turns of its batch", async (scene) => {
      const process = await scene.register();
      const ids = [newId(), newId(), newId(), newId()].sort() as [string, string, string, string];
      for (const id of ids) await scene.open({ id }, { step: "pack" }, { step: "label" });
      const jobs = await scene.claim(process);
      const own = (id: string) => jobs.find((job) => job.instance === id && job.step === "pack")!;
      const [stale, running, failed, bare] = ids;
      const nothing = { bare: true, recorded: [], discarded: [] };

      const written = await scene.store.commit(process, [
        failing(own(stale), { revision: 7 }),
        turn(running),
        failing(own(failed)),
        failing(own(bare), { ...nothing, settled: [own(bare).id] }),
      ]);

      assertEquals([...written.keys()].sort(), [running, failed, bare]);
      const both = ["execute label executing", "execute pack executing"];
      assertEquals(await scene.standing(stale), both);
      assertEquals(await scene.standing(running), both);
      assertEquals(await scene.standing(failed), [
        "execute label cancelled",
        "execute pack discarded",
      ]);
      assertEquals(await scene.standing(bare), []);
    });

    it("lets either the result or the failure stand", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      await Promise.all([
        scene.store.record([recording(job, process)]),
        scene.store.commit(process, [failing(job)]),
      ]);

      assertEquals((await scene.store.history(id)).length, 1);
    });

    it("shows an advance why a step has failed that was left to it", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);
      const errors = [{ name: "Error", message: "first" }, { name: "Error", message: "last" }];

      await scene.store.record([
        recording(job, process, { event: "__failed__", errors: JSON.stringify(errors) }),
      ]);

      const [unread] = await scene.store.unprocessed([id]);
      assertEquals([unread?.event, unread?.failure], ["__failed__", errors[1]]);
    });
  });
}
