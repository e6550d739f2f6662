import { assert, assertEquals, assertRejects } from "@std/assert";
import { getEventListeners } from "node:events";
import process from "node:process";
import { choice, done, type Hephaestus, signal, step, timer, type, workflow } from "../../mod.ts";
import type { EventName, Events } from "../../src/core/events.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

/** Keeps what listeners are told. */
function hearing<Name extends EventName>(hephaestus: Hephaestus, name: Name): Events[Name][] {
  const heard: Events[Name][] = [];
  hephaestus.on(name, (payload) => void heard.push(payload));
  return heard;
}

const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const nap = timer("nap", "1ms");
const chain = workflow("chain", { key: "id", input: type(), start: one })
  .on(one, { ok: nap })
  .on(nap, { elapsed: done })
  .build();
const broken = step("broken", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run: () => {
    throw new Error("broken");
  },
});
const fails = workflow("fails", { key: "id", input: type(), start: broken })
  .on(broken, { ok: done })
  .build();
const ask = signal("ask", { events: { told: type() } });
const asking = workflow("asking", { key: "id", input: type(), start: ask })
  .on(ask, { told: done })
  .build();
const pick = choice("pick", {
  input: type<boolean>(),
  events: { end: type() },
  decide: ({ input, emit }) => {
    if (!input) throw new Error("undecided");
    return emit.end();
  },
});
const decided = workflow("decided", { key: "id", input: type<boolean>(), start: pick })
  .on(pick, { end: done })
  .build();
const workflows = [chain, fails, asking, decided];

everywhere("what listeners are told", (it) => {
  it("holds how long an instance took, by the clock that dates it", { workflows }, async ({
    hephaestus,
    work,
  }) => {
    const stopped = hearing(hephaestus, "workflow:stop");
    const failed = hearing(hephaestus, "workflow:exception");
    await work();
    const handles = [
      await hephaestus.start(chain, "completes", undefined),
      await hephaestus.start(fails, "fails", undefined),
      await hephaestus.start(decided, "at once", true),
      await hephaestus.start(decided, "fails at once", false),
      await hephaestus.start(asking, "is cancelled", undefined),
      await hephaestus.start(asking, "is replaced", undefined),
    ];
    await hephaestus.cancel(asking, "is cancelled");
    await hephaestus.start(asking, "is replaced", undefined, { onConflict: "replace" });
    for (const handle of handles) await handle.result();
    await eventually(() => stopped.length === 4 && failed.length === 2, "all ends are told");

    for (const { instance, duration } of [...stopped, ...failed]) {
      const [found] = (await hephaestus.list({ id: instance })).items;
      assertEquals(duration, found!.finishedAt!.getTime() - found!.insertedAt.getTime());
    }
    assertEquals(stopped.map(({ key, status }) => `${key} ${status}`).sort(), [
      "id::at once completed",
      "id::completes completed",
      "id::is cancelled cancelled",
      "id::is replaced cancelled",
    ]);
    assertEquals(failed.map(({ key, error }) => `${key} ${error.message}`).sort(), [
      "id::fails at once undecided",
      "id::fails broken",
    ]);
  });

  it("is each job that was done, with how long it took", { workflows }, async ({
    hephaestus,
    work,
    inline,
  }) => {
    const jobs = hearing(hephaestus, "job:stop");
    await work();
    for (const flow of [chain, fails]) {
      await (await hephaestus.start(flow, "a", undefined)).result();
    }
    const of = (workflow: string) =>
      jobs.filter((job) => job.workflow === workflow).map(({ kind, step }) => `${kind} ${step}`);
    const steps = ["execute one", "resume nap"];
    await eventually(
      () => of("chain").filter((job) => !job.startsWith("advance")).length === 2,
      "both jobs are told",
    );
    assertEquals(of("chain").filter((job) => !job.startsWith("advance")), steps);
    assertEquals(of("chain").some((job) => job.startsWith("advance")), !inline);
    assertEquals(of("fails"), []);
    for (const { duration, attempt } of jobs) assert(duration >= 0 && attempt === 1);
  });

  it(
    "is what a timer and a delivery for later have met, once that is written",
    { workflows },
    async ({
      hephaestus,
      work,
    }) => {
      const resumed = hearing(hephaestus, "step:resume");
      await work();
      await (await hephaestus.start(chain, "a", undefined)).result();
      const handle = await hephaestus.start(asking, "a", undefined);
      await hephaestus.scheduleResume(asking, "a", ask.emit.told(), { after: "1ms" });
      await handle.result();
      assertEquals(await hephaestus.resume(asking, "a", ask.emit.told()), "duplicate");
      await eventually(() => resumed.length === 3, "all are told");
      assertEquals(resumed.map(({ step, event, result }) => `${step} ${event} ${result}`), [
        "nap elapsed accepted",
        "ask told accepted",
        "ask told duplicate",
      ]);
    },
  );

  it("is a transition of a choice that is decided at the start", { workflows }, async ({
    hephaestus,
  }) => {
    const transitions = hearing(hephaestus, "workflow:transition");
    await hephaestus.start(decided, "a", true);
    assertEquals(transitions.map(({ step, event, started }) => [step, event, started]), [
      ["pick", "end", []],
    ]);
  });
});

onPostgres("what is done in a caller's transaction", (it) => {
  it("is told to no listener, for it may never happen", { workflows }, async ({
    hephaestus,
    sql,
  }) => {
    const told: string[] = [];
    for (const name of ["workflow:start", "workflow:stop", "step:resume"] as const) {
      hephaestus.on(name, () => void told.push(name));
    }
    await assertRejects(() =>
      sql.begin(async (tx) => {
        await hephaestus.start(asking, "a", undefined, { tx });
        await hephaestus.start(decided, "a", true, { tx });
        await hephaestus.resume(asking, "a", ask.emit.told(), { tx });
        await hephaestus.cancel(asking, "a", { tx });
        throw new Error("rolled back");
      })
    );
    assertEquals(told, []);
    assertEquals((await hephaestus.list()).items, []);
  });
}, ["inline"]);

everywhere("work", (it) => {
  it("is refused while the engine closes, and after", { workflows }, async ({
    hephaestus,
    work,
  }) => {
    await work();
    const refused = () => assertRejects(async () => await hephaestus.work().ready, Error);
    const closing = hephaestus.close();
    const during = await refused();
    await closing;
    const after = await refused();
    for (const error of [during, after]) {
      assertEquals(error.message, "Cannot start the worker: the engine is closed or closing");
      assertEquals((error as { code?: string }).code, "CLOSED");
    }
  });

  it("leaves no listener on the signal that may stop it", { workflows }, async ({ hephaestus }) => {
    const warnings: string[] = [];
    const warned = (warning: Error) => void warnings.push(warning.name);
    process.on("warning", warned);
    const controller = new AbortController();
    const { signal } = controller;
    const workers = Array.from({ length: 15 }, () => hephaestus.work({ signal }));
    await Promise.all(workers.map(({ ready }) => ready));
    const waits = Array.from({ length: 15 }, async () => {
      const handle = await hephaestus.start(asking, crypto.randomUUID(), undefined);
      return handle.result({ signal }).catch((reason) => reason);
    });
    await new Promise((resolve) => setTimeout(resolve));
    await workers[0]!.stop();
    for (const worker of workers.slice(1, 14)) await worker.stop();
    controller.abort(new Error("enough"));
    await workers[14]!.stop();
    for (const reason of await Promise.all(waits)) assertEquals(reason.message, "enough");
    assertEquals(getEventListeners(signal, "abort").length, 0);
    process.off("warning", warned);
    assertEquals(warnings.filter((name) => name === "MaxListenersExceededWarning"), []);
  });
});

const gate = new Gate();
const held = step("held", {
  events: { ok: type() },
  async run({ emit }) {
    await gate.opened;
    return emit.ok();
  },
});
const holding = workflow("holding", { key: "id", input: type(), start: held })
  .on(held, { ok: done })
  .build();

onPostgres("starts that failed", (it) => {
  const options = { workflows: [chain, holding] };
  it("give back the slots of this process", options, async ({ hephaestus, another, sql, work }) => {
    await work({ queues: { default: 3 }, poll: "50ms" });
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
      create trigger refuse before insert on hephaestus.workflow_instances execute function refuse();
    `);
    for (let n = 0; n < 10; n++) {
      await assertRejects(() => hephaestus.start(chain, `k${n}`, undefined));
    }
    const items = Array.from({ length: 100 }, (_, n) => ({ key: `m${n}`, input: undefined }));
    await assertRejects(() => hephaestus.startMany(chain, items));
    await sql`drop trigger refuse on hephaestus.workflow_instances`;

    const handle = await another().start(chain, "after", undefined);
    assertEquals((await handle.result()).status, "completed");
    // All three, not one: no step ends before the last has begun.
    const begun = hearing(hephaestus, "step:start");
    for (const key of ["a", "b", "c"]) await another().start(holding, key, undefined);
    await eventually(() => begun.length === 3, "all slots are free");
    gate.open();
  });
}, ["inline"]);
