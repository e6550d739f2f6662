import { cancelled, failing, turn } from "../contracts/world.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { choice, done, FatalError, join, signal, step, type, workflow } from "../../mod.ts";
import { eventually, Gate } from "../everywhere.ts";
import { type Bench, onBackends, onPostgresBackend } from "./backends.ts";
import { dieInEachAttempt, poison, runs } from "./poison.ts";
import { assertSound } from "./story.ts";

const poisoned = workflow("poisoned", { key: "id", input: type(), start: poison })
  .on(poison, { ok: done })
  .build();

onBackends("a step that kills its process", (it) => {
  it("is discarded when its attempts are used up, and fails its instance", {
    workflows: [poisoned],
  }, async (bench) => {
    const { hephaestus, work, scene } = bench;
    const handle = await hephaestus.start(poisoned, "one", undefined);
    await dieInEachAttempt(bench, poisoned.name);

    await work();
    const end = await handle.result();

    assertEquals([end.status, runs], ["failed", []]);
    assertStringIncludes(end.error!.message, "the process died in each of its 2 attempts");
    const [entry] = await hephaestus.history(poisoned, { id: end.id });
    assertEquals([entry?.event, entry?.attempts], ["__failed__", 2]);
    assertEquals(await scene.standing(end.id), ["execute poison discarded"]);
  });
});

const asked = signal("asked", { events: { ok: type() } });
let decisions = 0;
const deadly = choice("deadly", {
  events: { ok: type() },
  decide({ emit }) {
    decisions++;
    return emit.ok();
  },
});
const deciding = workflow("deciding", { key: "id", input: type(), start: asked })
  .on(asked, { ok: deadly })
  .on(deadly, { ok: done })
  .build();

onBackends("a choice that kills its process", (it) => {
  it("is asked no more after five deaths, and fails its instance", {
    workflows: [deciding],
    queues: { advance: "advances" },
  }, async ({ hephaestus, work, scene }) => {
    decisions = 0;
    const handle = await hephaestus.start(deciding, "one", undefined);
    await hephaestus.resume(deciding, "one", asked.emit.ok());
    const serves = [{ workflow: "deciding", version: 1 }];
    for (let death = 0; death < 5; death++) {
      const victim = await scene.register(1_000);
      const claimed = death < 2
        ? await scene.claim(victim, { serves, queue: "advances" })
        : [await scene.queue.claimLone({ process: victim, serves, queues: ["advances"] })];
      assertEquals(claimed.map((job) => [job?.kind, job?.deaths]), [["advance", death]]);
      await scene.elapse(2_000);
      assertEquals((await scene.queue.rescue()).processes, [victim]);
    }

    await work({ queues: { advances: 1 } });
    const end = await handle.result();

    assertEquals([end.status, decisions], ["failed", 0]);
    assertStringIncludes(
      end.error!.message,
      'Cannot decide choice "deadly": the process died each of the 5 times',
    );
  });
});

const gates = new Map<string, Gate>();
const running: string[] = [];
const aborted: string[] = [];
const bad = step("bad", {
  events: { ok: type() },
  async run({ instance }) {
    await gates.get(instance.key)?.opened;
    throw new FatalError("No more");
  },
});
const sibling = step("sibling", {
  events: { ok: type() },
  run: ({ abortSignal, instance, emit }) =>
    new Promise((resolve) => {
      abortSignal.addEventListener("abort", () => {
        aborted.push(instance.key);
        resolve(emit.ok());
      });
      running.push(instance.key);
    }),
});
const start = step("start", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const after = step("after", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const doomed = workflow("doomed", { key: "id", input: type(), start })
  .on(start, { ok: [bad, sibling] })
  .on(bad, { ok: join(after) })
  .on(sibling, { ok: join(after) })
  .on(after, { ok: done })
  .build();

/** Nothing is left of the instance but the failure of "bad" and what was before it. */
async function assertDiscarded(
  hephaestus: Bench["hephaestus"],
  scene: Bench["scene"],
  id: string,
): Promise<void> {
  assertEquals(await scene.standing(id), ["execute bad discarded", "execute sibling cancelled"]);
  const history = await hephaestus.history(doomed, { id });
  assertEquals(history.map(({ step, event }) => `${step} ${event}`), [
    "start ok",
    "bad __failed__",
  ]);
}

onBackends("a discard", (it) => {
  it("fails the instance, cancels its other jobs and aborts what runs", {
    workflows: [doomed],
  }, async ({ hephaestus, another, work, scene }) => {
    running.length = 0;
    aborted.length = 0;
    const gate = new Gate();
    gates.set("id::one", gate);
    await work({ heartbeat: "50ms", queues: { default: 1 } });
    await another().work({ poll: "50ms", heartbeat: "50ms", queues: { default: 1 } }).ready;
    const handle = await hephaestus.start(doomed, "one", undefined);
    await eventually(() => running.includes("id::one"), "the sibling runs");

    gate.open();

    const end = await handle.result();
    assertEquals([end.status, end.error?.message], ["failed", "No more"]);
    await eventually(() => aborted.includes("id::one"), "the sibling is aborted");
    await assertDiscarded(hephaestus, scene, end.id);
  });

  it("aborts its siblings in its own process at once, and nothing of theirs is kept", {
    workflows: [doomed],
  }, async ({ hephaestus, work, scene }) => {
    running.length = 0;
    aborted.length = 0;
    const gate = new Gate();
    gates.set("id::two", gate);
    // A heartbeat would abort them too.
    const worker = await work({ heartbeat: "1h", lease: "3h" });
    const handle = await hephaestus.start(doomed, "two", undefined);
    await eventually(() => running.includes("id::two"), "the sibling runs");

    gate.open();

    const end = await handle.result();
    await eventually(() => aborted.includes("id::two"), "the sibling is aborted");
    await worker.stop();
    assertEquals([end.status, aborted], ["failed", ["id::two"]]);
    await assertDiscarded(hephaestus, scene, end.id);
  });
});

onPostgresBackend("a discard that cannot be written whole", (it) => {
  it("leaves nothing half done", { workflows: [] }, async ({ scene, sql }) => {
    const process = await scene.register();
    const id = await scene.open({}, {}, { step: "weigh" });
    const [job] = await scene.claim(process, { limit: 1 });
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'not today'; end $$;
      create trigger refuse before update on hephaestus.jobs
        for each row when (new.state = 'cancelled') execute function refuse();`);

    await assertRejects(() => scene.store.commit(process, [failing(job!)]));
    assertEquals((await scene.known(id)).status, "running");
    assertEquals(await scene.store.history(id), []);
    assertEquals(await scene.standing(id), ["execute pack executing", "execute weigh available"]);

    await sql`drop trigger refuse on hephaestus.jobs`;
    assertEquals((await scene.store.commit(process, [failing(job!)])).size, 1);
    assertEquals(await scene.standing(id), ["execute pack discarded", "execute weigh cancelled"]);
    await assertSound(sql);
  });
});

const late = step("late", {
  events: { ok: type() },
  async run({ instance, emit }) {
    gates.get(`${instance.key} runs`)?.open();
    await gates.get(instance.key)?.opened;
    return emit.ok();
  },
});
let afterwards = 0;
const next = step("next", {
  events: { ok: type() },
  run({ emit }) {
    afterwards++;
    return emit.ok();
  },
});
const stoppable = workflow("stoppable", { key: "id", input: type(), start: late })
  .on(late, { ok: next })
  .on(next, { ok: done })
  .build();

onBackends("a cancel", (it) => {
  it("wins over a result that comes late, and nothing starts after it", {
    workflows: [stoppable],
  }, async ({ hephaestus, another, work, scene }) => {
    afterwards = 0;
    const [gate, runs] = [new Gate(), new Gate()];
    gates.set("id::late", gate).set("id::late runs", runs);
    const worker = await work();
    const handle = await hephaestus.start(stoppable, "late", undefined);
    await runs.opened;

    await another().cancel(stoppable, "late", { reason: "changed my mind" });
    gate.open();

    const end = await handle.result();
    assertEquals(end.status, "cancelled");
    assertStringIncludes(end.error!.message, "changed my mind");
    await worker.stop();
    assertEquals(afterwards, 0);
    assertEquals(
      (await hephaestus.history(stoppable, { id: end.id })).filter(({ state }) =>
        state === "applied"
      ),
      [],
    );
    assertEquals(await scene.standing(end.id), ["execute late cancelled"]);
  });

  it("comes before a commit that was computed without it", {
    workflows: [],
  }, async ({ scene }) => {
    const process = await scene.register();
    const id = await scene.open({}, {});
    const job = await scene.claimOne(process);
    await scene.store.commitLocked(id, (state) => cancelled(state));

    const started = [scene.job({ instance: id, step: "ship", owned: true })];
    const written = await scene.store.commit(process, [turn(id, { settled: [job.id], started })]);

    assertEquals(written.size, 0);
    assertEquals((await scene.known(id)).status, "cancelled");
    assertEquals(await scene.standing(id), ["execute pack cancelled"]);
  });
});

onBackends("pruning", (it) => {
  it("deletes old jobs only: every result and every instance stays", {
    workflows: [doomed, poisoned],
  }, async ({ hephaestus, work, scene }) => {
    await work({ keepJobs: "1h" });
    await (await hephaestus.start(poisoned, "fine", undefined)).result();
    const { id } = await (await hephaestus.start(doomed, "free", undefined)).result();
    assertEquals((await scene.jobsOf(id)).length, 2);
    const before = await hephaestus.history(doomed, { id });

    assertEquals(await scene.queue.prune(3_600_000, 10), 0);
    await scene.elapse(3_700_000);
    assertEquals(await scene.queue.prune(3_600_000, 10), 2);

    assertEquals(await scene.jobsOf(id), []);
    assertEquals((await hephaestus.history(doomed, { id })).length, before.length);
    assertEquals((await hephaestus.list()).items.length, 2);
    assert((await hephaestus.history(poisoned, "fine")).length === 1);
  });
});
