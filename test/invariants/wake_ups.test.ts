import { delivery, leaseOf, recorded, recording, type Scene, turn } from "../contracts/world.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { done, join, signal, step, timer, type, workflow } from "../../mod.ts";
import { eventually } from "../everywhere.ts";
import { onBackends, onPostgresBackend } from "./backends.ts";
import { assertSound } from "./story.ts";

/** Whether a result that nobody has read has an advance that will. */
async function isAwaited(scene: Scene, id: string): Promise<boolean> {
  const unread = await scene.store.unprocessed([id]);
  const jobs = await scene.jobsOf(id);
  return unread.length === 0 || jobs.some(({ kind }) => kind === "advance");
}

onBackends("a wake-up", (it) => {
  it("that is asked for while another advance executes still runs afterwards", {
    workflows: [],
  }, async ({ scene }) => {
    const process = await scene.register();
    const id = await scene.open();
    await scene.store.deliver(delivery(id, "approval"));
    const advance = await scene.claimOne(process);
    const [read] = await scene.store.unprocessed([id]);

    await scene.store.deliver(delivery(id, "payment"));
    await scene.store.commit(process, [
      turn(id, { processed: [{ ...read!, causes: ["start"] }], settled: [advance.id] }),
    ]);

    assertEquals((await scene.store.unprocessed([id])).map(({ step }) => step), ["payment"]);
    assertEquals(await scene.standing(id), ["advance - available"]);
  });

  it("survives the death of the process that was to carry it out", {
    workflows: [],
  }, async ({ scene }) => {
    const process = await scene.register(1_000);
    const { id } = await scene.twoAdvances(process);

    await scene.elapse(2_000);
    await scene.queue.rescue();

    assertEquals(await scene.standing(id), ["advance - available"]);
    assert(await isAwaited(scene, id));
  });
});

onPostgresBackend("a wake-up between two sessions", (it) => {
  it("is not lost when a claim comes between a result and its commit", {
    workflows: [],
  }, async ({ scene }) => {
    const [runner, other] = [await scene.register(), await scene.register()];
    const id = await scene.open({}, { step: "pack" }, { step: "weigh" });
    const [pack, weigh] = await scene.claim(runner);
    await scene.store.record([recording(pack!, runner)]);

    await scene.store.transaction(async (tx) => {
      await tx.record([recording(weigh!, runner)]);
      // What this claim reads was committed before: an advance of which it reads nothing must come again.
      for (const advance of await scene.claim(other)) {
        const read = await scene.store.unprocessed([id]);
        const processed = read.map((row) => ({ ...row, causes: [] }));
        await scene.store.commit(other, [turn(id, { processed, settled: [advance.id] })]);
      }
    });

    assert(await isAwaited(scene, id), "the second result wakes nobody");
  });

  it("is not lost when a delivery in a caller's transaction commits last", {
    workflows: [],
  }, async ({ scene, sql }) => {
    const process = await scene.register();
    const id = await scene.open();
    await scene.store.deliver(delivery(id, "approval"));

    await sql.begin(async (tx) => {
      await scene.store.deliver(delivery(id, "payment"), tx);
      const advance = await scene.claimOne(process);
      const read = await scene.store.unprocessed([id]);
      assertEquals(read.map(({ step }) => step), ["approval"]);
      const processed = read.map((row) => ({ ...row, causes: [] }));
      await scene.store.commit(process, [turn(id, { processed, settled: [advance.id] })]);
    });

    assert(await isAwaited(scene, id), "the delivery wakes nobody");
  });
});

onPostgresBackend("what belongs together", (it) => {
  it("commits together: no result without its wake-up, no state without its jobs", {
    workflows: [],
  }, async ({ scene, sql }) => {
    const process = await scene.register();
    const id = await scene.open({}, {});
    const job = await scene.claimOne(process);
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'no jobs today'; end $$;
      create trigger refuse before insert on hephaestus.jobs for each row execute function refuse();`);

    const next = scene.job({ instance: id, step: "ship" });
    const writes = [
      () => scene.store.record([recording(job, process)]),
      () =>
        scene.store.commit(process, [
          turn(id, { recorded: [recorded("pack")], settled: [job.id], started: [next] }),
        ]),
      () => scene.store.deliver(delivery(id, "approval")),
      () => scene.open({ id: "01990000-0000-7000-8000-000000000000" }, {}),
    ];
    for (const write of writes) await assertRejects(write);

    assertEquals(await scene.store.history(id), []);
    assertEquals((await scene.known(id)).revision, 1);
    assertEquals(await scene.standing(id), ["execute pack executing"]);
    assertEquals((await scene.store.list({ limit: 10 })).map((row) => row.id), [id]);
    await sql`drop trigger refuse on hephaestus.jobs`;
    await scene.queue.release([leaseOf(job, process)]);
  });
});

const retry = { attempts: 2, base: "1ms", max: "5ms" } as const;
const split = step("split", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const left = step("left", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const right = step("right", {
  events: { ok: type() },
  retry,
  input: type<{ bad: boolean }>(),
  run({ input, emit, attempt }) {
    if (input.bad || attempt === 1) throw new Error("not now");
    return emit.ok();
  },
});
const merge = step("merge", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const nap = timer("nap", "20ms");
const approval = signal("approval", { events: { approved: type() } });
const mixed = workflow("mixed", { key: "id", input: type<{ bad: boolean }>(), start: split })
  .on(split, { ok: [left, right] })
  .on(left, { ok: join(merge) })
  .on(right, { ok: join(merge) })
  .on(merge, { ok: nap })
  .on(nap, { elapsed: approval })
  .on(approval, { approved: done })
  .build();

onBackends("an instance at rest", (it) => {
  it("is final or waits for something that can be named, and nothing is left unread", {
    workflows: [mixed],
  }, async ({ hephaestus, another, work, sql }) => {
    await work({ queues: { default: 5 } });
    await another().work({ poll: "50ms", queues: { default: 5 } }).ready;
    const handles = [];
    for (let n = 0; n < 24; n++) {
      const handle = await hephaestus.start(mixed, `n${n}`, { bad: n % 4 === 0 });
      handles.push(handle);
      if (n % 2 === 0) await hephaestus.resume(mixed, `n${n}`, approval.emit.approved());
      if (n % 6 === 1) await hephaestus.cancel(mixed, `n${n}`);
    }

    await eventually(async () => {
      const { items } = await hephaestus.list({ limit: 100 });
      const odd = items.filter(({ finishedAt }) => !finishedAt);
      return odd.length === 8 && odd.every(({ active }) => active[0] === "approval");
    }, "all instances come to rest");

    const count = { completed: 0, failed: 0, cancelled: 0, waiting: 0 };
    for (const { id } of handles) {
      const instance = await hephaestus.get(mixed, { id });
      count[instance!.status as keyof typeof count]++;
      const waiting = instance!.status === "waiting";
      assertEquals(instance!.active, waiting ? ["approval"] : []);
      const pending = (await hephaestus.history(mixed, { id })).filter(({ state }) =>
        state === "pending"
      );
      assertEquals(pending, []);
    }
    assertEquals(count, { completed: 6, failed: 6, cancelled: 4, waiting: 8 });
    if (sql) await assertSound(sql);
  });
});

const ask = step("ask", {
  events: { ok: type() },
  async: true,
  run: ({ emit }) => emit.later(),
});
const hold = signal("hold", { events: { ok: type() } });
const asking = workflow("asking", { key: "id", input: type(), start: ask })
  .on(ask, { ok: hold })
  .on(hold, { ok: done })
  .build();

onPostgresBackend("the word that an asynchronous step waits", (it) => {
  it("is read when it comes after the delivery that has ended the step", {
    workflows: [asking],
  }, async ({ hephaestus, work, scene, sql }) => {
    const { id } = await hephaestus.start(asking, "one", undefined);
    await hephaestus.resume(asking, { id }, ask.emit.ok());
    await work();
    const waits = async () => (await hephaestus.get(asking, { id }))?.active[0] === "hold";
    await eventually(waits, "the delivery ends the step");

    await sql`delete from hephaestus.step_results where instance_id = ${id} and waits`;
    await sql`insert into hephaestus.step_results (instance_id, workflow_version, step_ref, waits, event)
      values (${id}, 1, 'ask', true, '__async__')`;
    await sql`insert into hephaestus.jobs (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
      values (${id}, 'advance', 'available', 'default', 'asking', 1, ${id})
      on conflict do nothing`;

    const standing = async () => (await scene.standing(id)).length;
    await eventually(async () => await standing() === 0, "the advance ends");
    assertEquals(await scene.store.unprocessed([id]), []);
  });
});
