import { describe } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { InstanceEnd, InstanceState } from "../../src/backend/store.ts";
import { activeIn, delivery, discardOf, type It, newId, plain, recording } from "./world.ts";

function ending(part: Partial<InstanceEnd> = {}): InstanceEnd {
  const error = { name: "Error", message: "duplicate order" };
  return { status: "cancelled", control: activeIn(), error, ignored: [], ...part };
}

export function ends(it: It): void {
  describe("end()", () => {
    it("ends the instance and cancels its jobs, advances excepted", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "executing" });
      await scene.claimOne(process);
      await scene.enqueue(
        { instance: id, step: "waiting" },
        { instance: id, kind: "resume", step: "scheduled", delay: 1_000 },
      );
      await scene.store.deliver(delivery(id, "approval"));

      const ended = await scene.store.end(id, () => ending());

      const { finishedAt: at } = await scene.listed(id);
      assertEquals(ended, { kind: "ended", status: "cancelled", at: at! });
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

    it("shows the instance to whoever decides", async (scene) => {
      const id = await scene.open({ control: activeIn("pack"), metadata: '{"a":1}', tags: ["eu"] });
      const expected = await scene.known(id);
      const seen: InstanceState[] = [];

      await scene.store.end(id, (known) => {
        seen.push(known);
        return undefined;
      });

      assertEquals(seen.map(plain), [plain(expected)]);
    });

    it("leaves the instance alone when there is nothing to end", async (scene) => {
      const id = await scene.open({}, {});
      const before = await scene.store.list({ ids: [id], limit: 1 });

      assertEquals(await scene.store.end(id, () => undefined), { kind: "kept", status: "running" });

      assertEquals(await scene.store.list({ ids: [id], limit: 1 }), before);
      assertEquals(await scene.standing(id), ["execute pack available"]);
    });

    it("tells that an instance is missing", async (scene) => {
      const ended = await scene.store.end(newId(), () => ending());

      assertEquals(ended, { kind: "kept", status: undefined });
    });

    it("writes nothing when the decision throws", async (scene) => {
      const id = await scene.open();
      const decide = () => {
        throw new RangeError("Cannot decide");
      };

      await assertRejects(() => scene.store.end(id, decide), RangeError, "Cannot decide");

      assertEquals((await scene.known(id)).status, "running");
    });

    it("marks kept deliveries that nobody will read", async (scene) => {
      const id = await scene.open();
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.deliver(delivery(id, "payment"));

      await scene.store.end(id, () => ending({ ignored: ["approval"] }));

      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.step, entry.state, entry.revision]),
        [["approval", "ignored", undefined], ["payment", "pending", undefined]],
      );
    });

    it("lets one of ten win that end an instance at once", async (scene) => {
      const id = await scene.open();
      const decide = (known: InstanceState) => known.status === "running" ? ending() : undefined;

      const tries = Array.from({ length: 10 }, () => scene.store.end(id, decide));
      const kinds = (await Promise.all(tries)).map((ended) => ended.kind).sort();

      assertEquals(kinds, ["ended", ...Array.from({ length: 9 }, () => "kept")]);
      assertEquals((await scene.known(id)).revision, 2);
    });
  });

  describe("end() with a discard", () => {
    const failed = () => ending({ status: "failed" });

    it("fails the instance, keeps the job and tells the story", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "label", priority: 6 });
      const job = await scene.claimOne(process);
      const errors = [{ name: "Error", message: "first" }, { name: "Error", message: "second" }];

      const discard = discardOf(job, process, { errors, attempt: 2, duration: 40 });
      const ended = await scene.store.end(id, failed, { discard });

      const { finishedAt: at } = await scene.listed(id);
      assertEquals(ended, { kind: "ended", status: "failed", at: at! });
      assertEquals(await scene.standing(id), ["execute label cancelled", "execute pack discarded"]);
      const [stored] = await scene.jobsOf(id);
      assertEquals([stored?.finishedAt === undefined, stored?.process], [false, undefined]);
      const [entry] = await scene.store.history(id);
      assertEquals(entry!.at.getTime() - entry!.startedAt!.getTime(), 40);
      assertEquals([entry?.step, entry?.event, entry?.state], ["pack", "__failed__", "applied"]);
      assertEquals([entry?.attempts, entry?.errors, entry?.revision], [2, errors, 2]);
      assertEquals(entry?.process, process);
    });

    it("changes nothing when the lease is stale", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);
      const discard = discardOf({ ...job, token: 2 }, process);

      assertEquals(await scene.store.end(id, failed, { discard }), { kind: "stale" });

      assertEquals((await scene.known(id)).revision, 1);
      assertEquals(await scene.store.history(id), []);
      assertEquals(await scene.standing(id), ["execute pack executing"]);
    });

    it("discards once when it is repeated", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const discard = discardOf(await scene.claimOne(process), process);

      const tries = Array.from({ length: 5 }, () => scene.store.end(id, failed, { discard }));
      const kinds = (await Promise.all(tries)).map((ended) => ended.kind).sort();

      assertEquals(kinds, ["ended", "stale", "stale", "stale", "stale"]);
      assertEquals((await scene.store.history(id)).length, 1);
    });

    it("only ends the job when a delivery has come first", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("parcel") }, { step: "parcel" });
      const job = await scene.claimOne(process);
      await scene.store.deliver(delivery(id, "parcel", { event: "arrived" }));

      const ended = await scene.store.end(id, failed, { discard: discardOf(job, process) });

      assertEquals(ended, { kind: "kept", status: "running" });
      assertEquals(await scene.standing(id), ["advance - available"]);
      assertEquals((await scene.store.history(id)).map((entry) => entry.event), ["arrived"]);
      assertEquals((await scene.known(id)).revision, 1);
    });

    it("writes no more than the end of the instance when it is bare", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "label", priority: 6 });
      const job = await scene.claimOne(process);
      const discard = discardOf(job, process, { bare: true });

      assertEquals((await scene.store.end(id, failed, { discard })).kind, "ended");

      assertEquals(await scene.standing(id), []);
      assertEquals(await scene.store.history(id), []);
      const [listed] = await scene.store.list({ ids: [id], limit: 1 });
      assertEquals([listed?.status, listed?.revision], ["failed", 2]);
      assertEquals(await scene.store.end(id, failed, { discard }), { kind: "stale" });
    });

    it("only ends the job when it is bare and a delivery has come first", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("parcel") }, { step: "parcel" });
      const job = await scene.claimOne(process);
      await scene.store.deliver(delivery(id, "parcel", { event: "arrived" }));
      const discard = discardOf(job, process, { bare: true });

      assertEquals(await scene.store.end(id, failed, { discard }), {
        kind: "kept",
        status: "running",
      });

      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("lets either the result or the discard stand", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      const [recorded, ended] = await Promise.all([
        scene.store.record([recording(job, process)]),
        scene.store.end(id, failed, { discard: discardOf(job, process) }),
      ]);

      assertEquals(recorded.size === 1, ended.kind !== "ended");
      assertEquals((await scene.store.history(id)).length, 1);
    });
  });
}
