import { assert, assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import { eventually, Gate } from "../everywhere.ts";
import { onBackends, onPostgresBackend } from "./backends.ts";
import { assertSound } from "./story.ts";

const gates = new Map<string, Gate>();
const ran = new Map<string, number>();
const reasons = new Map<string, unknown>();
const work = step("work", {
  events: { ok: type() },
  queue: "work",
  retry: { base: "1ms", max: "5ms" },
  async run({ instance, abortSignal, attempt, emit }) {
    ran.set(instance.key, (ran.get(instance.key) ?? 0) + 1);
    abortSignal.addEventListener("abort", () => reasons.set(instance.key, abortSignal.reason));
    await gates.get(instance.key)?.opened;
    return emit.ok(undefined, { metadata: { attempt } });
  },
});
const simple = workflow("simple", {
  key: "id",
  input: type(),
  start: work,
  metadata: { of: "test" },
}).on(work, { ok: done }).build();

onBackends("a job that a process owns without knowing it", (it) => {
  it("is given back after two heartbeats, without using up an attempt", {
    workflows: [simple],
  }, async ({ hephaestus, work, scene }) => {
    const handle = await hephaestus.start(simple, "unknown", undefined);
    const worker = await work({ heartbeat: "50ms" });
    const serves = [{ workflow: "simple", version: 1 }];

    const claimed = await scene.claim(worker.id, { queue: "work", serves });

    assertEquals(claimed.map(({ attempt }) => attempt), [1]);
    await eventually(async () => {
      const [job] = await scene.jobsOf(handle.id);
      return job?.state === "available" && job.attempt === 0 && job.process === undefined;
    }, "it is given back");
  });
});

onBackends("a running step whose job is no longer its process's", (it) => {
  it("is aborted, and what it returns is not recorded", {
    workflows: [simple],
  }, async ({ hephaestus, work, scene }) => {
    const gate = new Gate();
    gates.set("id::lost", gate);
    reasons.clear();
    const worker = await work({ heartbeat: "50ms", queues: { work: 1 } });
    const handle = await hephaestus.start(simple, "lost", undefined);
    await eventually(
      async () => (await scene.standing(handle.id))[0] === "execute work executing",
      "it runs",
    );

    const [job] = await scene.jobsOf(handle.id);
    const lease = { process: worker.id, id: job!.id, token: 1 };
    await scene.queue.retry(lease, [{ name: "E", message: "e" }], 1e6);

    await eventually(() => reasons.has("id::lost"), "it is aborted");
    gate.open();
    await worker.stop();
    assertEquals(await hephaestus.history(simple, { id: handle.id }), []);
    assertEquals(await scene.standing(handle.id), ["execute work retryable"]);
  });
});

const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
let together = 0;
let most = 0;
let crowd = new Gate();
const branches = Array.from({ length: 30 }, (_, index) =>
  step(`branch-${index}`, {
    events: { ok: type() },
    async run({ emit }) {
      ran.set(`branch-${index}`, (ran.get(`branch-${index}`) ?? 0) + 1);
      together++;
      most = Math.max(most, together);
      if (together === 8) crowd.open();
      await crowd.opened;
      together--;
      return emit.ok();
    },
  }));
const fanOut = branches.reduce(
  // deno-lint-ignore no-explicit-any
  (rows: any, branch) => rows.on(branch, { ok: done }),
  // deno-lint-ignore no-explicit-any
  (workflow("fan-out", { key: "id", input: type(), start: begin }) as any)
    .on(begin, { ok: branches }),
).build();

onBackends("two processes on one database", (it) => {
  it("share a fan-out, each within its limit, and nothing runs twice", {
    workflows: [fanOut],
  }, async ({ hephaestus, another, work, sql }) => {
    [together, most, crowd] = [0, 0, new Gate()];
    ran.clear();
    await work({ queues: { default: 4 } });
    await another().work({ poll: "50ms", queues: { default: 4 } }).ready;

    const handle = await hephaestus.start(fanOut, "one", undefined);

    assertEquals((await handle.result()).status, "completed");
    assertEquals([...ran.values()], Array(30).fill(1));
    assertEquals(most, 8);
    const history = await hephaestus.history(fanOut, { id: handle.id });
    assertEquals(new Set(history.map(({ process }) => process)).size, 2);
    if (sql) await assertSound(sql);
  });
});

onPostgresBackend("a row that the database refuses", (it) => {
  it("costs its own instance its attempts, and its neighbours nothing", {
    workflows: [simple],
    retry: { attempts: 2, base: "1ms", max: "5ms" },
  }, async ({ hephaestus, work, sql, scene }) => {
    const gate = new Gate();
    const keys = Array.from({ length: 20 }, (_, n) => `n${n}`);
    for (const key of keys) gates.set(`id::${key}`, gate);
    await work({ queues: { work: 20, default: 5 } });
    const handles = await Promise.all(
      keys.map((key) => hephaestus.start(simple, key, undefined)),
    );
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'a poisoned row' using errcode = '22000'; end $$;
      create trigger refuse before insert on hephaestus.step_results for each row
        when (new.instance_id = '${
      handles[7]!.id
    }' and new.event = 'ok') execute function refuse();`);
    gate.open();

    const ends = await Promise.all(handles.map((handle) => handle.result()));

    assertEquals(
      ends.map(({ status }) => status),
      keys.map((_, n) => (n === 7 ? "failed" : "completed")),
    );
    assert(
      ends.every(({ metadata }, n) => n === 7 || (metadata as { attempt?: number }).attempt === 1),
    );
    assertEquals(await scene.standing(handles[7]!.id), ["execute work discarded"]);
    await assertSound(sql);
  });
});

onBackends("a job that is claimed while its process leaves", (it) => {
  it("is given back by a stop, without using up its attempt", {
    workflows: [simple],
  }, async ({ hephaestus, work, scene }) => {
    const gate = new Gate();
    gates.set("id::leaving", gate);
    ran.clear();
    const worker = await work({ queues: { work: 1, default: 1 } });
    const handle = await hephaestus.start(simple, "leaving", undefined);
    await eventually(() => ran.get("id::leaving") === 1, "it runs");

    await worker.stop({ grace: "1ms" });

    const [job] = await scene.jobsOf(handle.id);
    assertEquals([job?.state, job?.attempt, job?.process], ["available", 0, undefined]);
    gate.open();
    await work({ queues: { work: 1, default: 1 } });
    const end = await handle.result();
    assertEquals(end.metadata.attempt, 1);
  });
});
