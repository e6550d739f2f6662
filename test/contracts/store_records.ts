import { activeIn, delivery, type It, leaseOf, plain, recorded, recording, turn } from "./world.ts";
import { describe } from "node:test";
import { assertEquals } from "@std/assert";

export function records(it: It): void {
  describe("record()", () => {
    it("writes the result, ends the job and asks for an advance", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" });
      const job = await scene.claimOne(process);

      const given = recording(job, process, {
        event: "packed",
        output: '{"boxes":[1,2]}',
        metadata: '{"weight":2}',
        errors: '[{"name":"Error","message":"once"}]',
        attempt: 2,
        duration: 40,
      });
      assertEquals([...await scene.store.record([given])], [job.id]);

      assertEquals(await scene.standing(id), ["advance - available"]);
      assertEquals(await scene.store.unprocessed([id]), [{
        instance: id,
        version: 1,
        step: "pack",
        activation: 1,
        waits: false,
        event: "packed",
        metadata: { weight: 2 },
        output: { boxes: [1, 2] },
        attempt: 2,
        failure: undefined,
      }]);
      const [entry] = await scene.store.history(id);
      const { at, startedAt, ...rest } = entry!;
      assertEquals(at.getTime() - startedAt!.getTime(), 40);
      assertEquals(rest, {
        step: "pack",
        activation: 1,
        event: "packed",
        output: { boxes: [1, 2] },
        metadata: { weight: 2 },
        attempts: 2,
        errors: [{ name: "Error", message: "once" }],
        state: "pending",
        revision: undefined,
        process,
      });
    });

    it("leaves the instance alone", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const before = await scene.store.list({ ids: [id], limit: 1 });

      await scene.store.record([recording(await scene.claimOne(process), process)]);

      assertEquals(await scene.store.list({ ids: [id], limit: 1 }), before);
    });

    it("records nothing when the lease is stale, and the others of the batch", async (scene) => {
      const process = await scene.register();
      const [stale, fresh] = [await scene.open({}, {}), await scene.open({}, {})];
      const jobs = await scene.claim(process);
      const lost = jobs.find((job) => job.instance === stale)!;
      const held = jobs.find((job) => job.instance === fresh)!;
      await scene.queue.release([leaseOf(lost, process)]);

      const recorded = await scene.store.record([
        recording(lost, process),
        recording(held, process),
      ]);

      assertEquals([...recorded], [held.id]);
      assertEquals(await scene.store.history(stale), []);
      assertEquals(await scene.standing(stale), ["execute pack available"]);
      assertEquals((await scene.store.history(fresh)).length, 1);
    });

    it("records nothing under the lease of another process or claim", async (scene) => {
      const [process, other] = [await scene.register(), await scene.register()];
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      await scene.store.record([recording(job, other)]);
      await scene.store.record([recording({ ...job, token: 2 }, process)]);

      assertEquals(await scene.store.history(id), []);
      assertEquals(await scene.standing(id), ["execute pack executing"]);
    });

    it("records nothing for a process that was declared dead", async (scene) => {
      const process = await scene.register(1_000);
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);
      await scene.elapse(2_000);
      await scene.queue.rescue();

      assertEquals([...await scene.store.record([recording(job, process)])], []);
      assertEquals(await scene.store.history(id), []);
    });

    it("records once when it is repeated", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {});
      const job = await scene.claimOne(process);

      const tries = Array.from({ length: 5 }, () => scene.store.record([recording(job, process)]));
      const recorded = await Promise.all(tries);

      assertEquals(recorded.filter((ids) => ids.has(job.id)).length, 1);
      assertEquals((await scene.store.history(id)).length, 1);
    });

    it("lets the first result stand, and asks for no advance then", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "pack" });
      const [first, second] = await scene.claim(process);
      await scene.store.record([recording(first!, process, { event: "first" })]);
      const advance = await scene.claimOne(process);
      assertEquals(advance.kind, "advance");

      const recorded = await scene.store.record([recording(second!, process, { event: "second" })]);

      assertEquals([...recorded], []);
      assertEquals((await scene.store.history(id)).map((entry) => entry.event), ["first"]);
      assertEquals(await scene.standing(id), ["advance - executing"]);
    });

    it("lets one stand of two results of one running in a batch", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "pack" });
      const jobs = await scene.claim(process);

      const recorded = await scene.store.record(jobs.map((job) => recording(job, process)));

      assertEquals(recorded.size, 1);
      assertEquals((await scene.store.history(id)).length, 1);
      assertEquals(await scene.standing(id), ["advance - available"]);
    });

    it("records every running of a step", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, { step: "pack" }, { step: "pack" });
      const [first, second] = await scene.claim(process);

      await scene.store.record([
        recording(first!, process),
        recording(second!, process, { activation: 2 }),
      ]);

      assertEquals((await scene.store.history(id)).map((entry) => entry.activation), [1, 2]);
    });

    it("asks for one advance for many results", async (scene) => {
      const process = await scene.register();
      const steps = Array.from({ length: 20 }, (_, at) => ({ step: `pack-${at}` }));
      const id = await scene.open({}, ...steps);
      const jobs = await scene.claim(process, { limit: 20 });

      await Promise.all(jobs.map((job) => scene.store.record([recording(job, process)])));

      assertEquals(await scene.standing(id), ["advance - available"]);
      assertEquals((await scene.store.unprocessed([id])).length, 20);
    });

    it("keeps a wake-up that is asked for while another advance executes", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ control: activeIn("approval") }, { step: "pack" });
      const job = await scene.claimOne(process);
      await scene.store.deliver(delivery(id, "approval"));
      const advance = await scene.claimOne(process);
      assertEquals(advance.kind, "advance");

      await scene.store.record([recording(job, process)]);

      const next = await scene.claimOne(process);
      assertEquals([next.kind, next.id === advance.id], ["advance", false]);
    });

    it("puts the advance where it is asked for", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({ workflow: "refund", version: 2 }, {
        workflow: "refund",
        version: 2,
      });
      const serves = [{ workflow: "refund", version: 2 }];
      const [job] = await scene.claim(process, { serves });

      const wake = { queue: "orchestration", workflow: "refund", version: 2 };
      await scene.store.record([recording(job!, process, { wake })]);

      const [advance] = await scene.claim(process, { queue: "orchestration", serves });
      assertEquals([advance?.instance, advance?.maxAttempts], [id, undefined]);
    });
  });

  describe("pass()", () => {
    it("ends a job that found nothing to write, and marks what nobody will read", async (scene) => {
      const process = await scene.register();
      const id = await scene.open();
      await scene.store.deliver(delivery(id, "approval"));
      await scene.store.deliver(delivery(id, "payment"));
      const advance = await scene.claimOne(process);
      const before = await scene.known(id);

      const ignored = [{ step: "approval", activation: 1, waits: false }];
      await scene.store.pass([{ lease: leaseOf(advance, process), instance: id, ignored }]);

      assertEquals(await scene.standing(id), []);
      const history = await scene.store.history(id);
      assertEquals(
        history.map((entry) => [entry.step, entry.state]),
        [["approval", "ignored"], ["payment", "pending"]],
      );
      assertEquals(plain(await scene.known(id)), plain(before));
    });

    it("leaves what has been applied, and a job whose lease is stale", async (scene) => {
      const process = await scene.register();
      const id = await scene.open({}, {}, {});
      const [held, lost] = await scene.claim(process);
      await scene.store.commit(process, [turn(id, { recorded: [recorded("pack")] })]);
      const ignored = [{ step: "pack", activation: 1, waits: false }, {
        step: "other",
        activation: 1,
        waits: false,
      }];

      await scene.store.pass([
        { lease: { ...leaseOf(lost!, process), token: 2 }, instance: id, ignored },
        { lease: leaseOf(held!, process), instance: id, ignored: [] },
      ]);
      await scene.store.pass([]);

      assertEquals(await scene.standing(id), ["execute pack executing"]);
      assertEquals((await scene.store.history(id)).map((entry) => entry.state), ["applied"]);
    });
  });
}
