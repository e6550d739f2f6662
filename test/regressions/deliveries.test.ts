import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import {
  done,
  Hephaestus,
  JobNotFoundError,
  join,
  NotWaitingError,
  signal,
  step,
  type,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

const approval = signal("approval", { events: { approved: type<string>() } });
const ask = workflow("ask", { key: "id", input: type(), start: approval })
  .on(approval, { approved: done })
  .build();

const notIds: readonly unknown[] = [
  ...["", "0", "-1", "007", "1.5", "1e3", " 1", "9223372036854775808", "9".repeat(20), "one"],
  ...[undefined, null, 1, 1n, {}],
];

describe("a job's id that cannot be one", () => {
  it("is refused without a look at the database", async () => {
    const nowhere = new Hephaestus({ url: "postgres://127.0.0.1:1/none", workflows: [ask] });
    for (const wrong of notIds) {
      await assertRejects(
        () => nowhere.cancelJob(wrong as string),
        JobNotFoundError,
        `Cannot cancel job "${wrong}": no such scheduled delivery exists`,
      );
    }
    await nowhere.close();
  });
});

everywhere("a delivery for later", (it) => {
  it("ends its wait when its time has come", { workflows: [ask] }, async ({ hephaestus, work }) => {
    await work({ poll: "1h" });
    const handle = await hephaestus.start(ask, "a", undefined);
    const given = approval.emit.approved("late");

    const job = await hephaestus.scheduleResume(ask, "a", given, { after: "20ms" });

    assertEquals(typeof job, "string");
    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(ask, "a"))[0]?.output, "late");
    await assertRejects(() => hephaestus.cancelJob(job), JobNotFoundError);
  });

  it("can be cancelled, once, and nothing else can", { workflows: [ask] }, async ({
    hephaestus,
    work,
    jobs,
  }) => {
    await work();
    await hephaestus.start(ask, "a", undefined);
    const given = approval.emit.approved("never");
    const job = await hephaestus.scheduleResume(ask, "a", given, { after: "1h" });

    await hephaestus.cancelJob(job);

    const refused = await assertRejects(() => hephaestus.cancelJob(job), JobNotFoundError);
    assertEquals(
      refused.message,
      `Cannot cancel job "${job}": no such scheduled delivery exists`,
    );
    assertEquals((await hephaestus.get(ask, "a"))?.status, "waiting");
    const left = (await jobs()).filter(({ kind }) => kind === "resume");
    assertEquals(left.filter(({ state }) => state !== "cancelled"), []);
  });
});

everywhere("an asynchronous step", (it) => {
  let gate = new Gate();
  let running = 0;
  let aborted = 0;
  const render = step("render", {
    async: true,
    events: { rendered: type<string>() },
    async run({ emit, abortSignal }) {
      running++;
      abortSignal.addEventListener("abort", () => aborted++);
      await gate.opened;
      return emit.rendered("by the code");
    },
  });
  const video = workflow("video", { key: "id", input: type(), start: render })
    .on(render, { rendered: approval })
    .on(approval, { approved: done })
    .build();
  const fresh = () => {
    gate = new Gate();
    [running, aborted] = [0, 0];
  };

  it("is ended by a delivery while it runs: its job is gone, its own result comes too late", {
    workflows: [video],
  }, async ({ hephaestus, work, sql }) => {
    fresh();
    await work({ heartbeat: "50ms", lease: "10s" });
    const handle = await hephaestus.start(video, "a", undefined);
    await eventually(() => running === 1, "the step runs");

    const answer = await hephaestus.resume(video, "a", render.emit.rendered("from outside"));

    assertEquals(answer, "accepted");
    await eventually(() => aborted === 1, "the code is aborted");
    if (sql) assertEquals([...await sql`select id from hephaestus.jobs where step = 'render'`], []);
    gate.open();
    await hephaestus.resume(video, "a", approval.emit.approved("yes"));
    assertEquals((await handle.result()).status, "completed");
    const told = await hephaestus.history(video, "a");
    assertEquals(told.map(({ event, output }) => [event, output]), [
      ["rendered", "from outside"],
      ["approved", "yes"],
    ]);
    assertEquals(running, 1);
  });

  it("may end by itself, and a delivery is then too late", { workflows: [video] }, async ({
    hephaestus,
    work,
  }) => {
    fresh();
    gate.open();
    await work();
    await hephaestus.start(video, "a", undefined);
    await eventually(
      async () => (await hephaestus.get(video, "a"))?.active[0] === "approval",
      "it ended",
    );

    const late = () => hephaestus.resume(video, "a", render.emit.rendered("from outside"));

    await assertRejects(late, NotWaitingError, 'step "render" is not waiting');
    assertEquals((await hephaestus.history(video, "a"))[0]?.output, "by the code");
  });
});

onPostgres("an asynchronous step with a transaction", (it) => {
  let gate = new Gate();
  const render = step("render", {
    async: true,
    events: { rendered: type<string>() },
    async run({ emit, tx }) {
      await gate.opened;
      return tx(async (sql) => {
        await sql`insert into effects values (1)`;
        return emit.rendered("by the code");
      });
    },
  });
  const video = workflow("video", { key: "id", input: type(), start: render })
    .on(render, { rendered: done })
    .build();

  it("writes nothing when a delivery was faster", {
    workflows: [video],
    queues: { advance: "advances" },
  }, async ({ hephaestus, work, another, sql }) => {
    gate = new Gate();
    await sql`create table effects (n int)`;
    await work();
    const handle = await hephaestus.start(video, "a", undefined);
    const jobs = async () =>
      (await sql`select kind, state from hephaestus.jobs order by id`)
        .map(({ kind, state }) => `${kind} ${state}`).sort();
    await eventually(async () => (await jobs())[0] === "execute executing", "the step runs");

    await hephaestus.resume(video, "a", render.emit.rendered("from outside"));
    gate.open();
    await eventually(async () => (await jobs()).join() === "advance available", "the step is over");
    await another().work({ queues: { advances: 1 } }).ready;

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(video, "a"))[0]?.output, "from outside");
    assertEquals([...await sql`select n from effects`], []);
  });
});

everywhere("a wait with a limit", (it) => {
  const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const slow = signal("slow", { events: { given: type() }, expires: "30ms" });
  const outside = step("outside", {
    async: true,
    expires: "30ms",
    events: { given: type() },
    run: ({ emit }) => emit.later(),
  });
  const prompt = signal("prompt", { events: { given: type() }, expires: "1h" });
  const end = step("end", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const limited = workflow("limited", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [slow, outside, prompt] })
    .on(slow, { given: join(end), expired: join(end) })
    .on(outside, { given: join(end), expired: join(end) })
    .on(prompt, { given: join(end), expired: join(end) })
    .on(end, { ok: done })
    .build();

  it(
    "ends as expired when nothing comes, and not when something came",
    { workflows: [limited] },
    async ({
      hephaestus,
      work,
      sql,
    }) => {
      await work();
      const handle = await hephaestus.start(limited, "a", undefined);
      assertEquals(
        ["accepted", "early"].includes(await hephaestus.resume(limited, "a", prompt.emit.given())),
        true,
      );

      assertEquals((await handle.result()).status, "completed");

      const told = await hephaestus.history(limited, "a");
      assertEquals(told.map(({ step, event }) => `${step}.${event}`).sort(), [
        "end.ok",
        "fork.ok",
        "outside.__async__",
        "outside.expired",
        "prompt.given",
        "slow.expired",
      ]);
      await assertRejects(
        () => hephaestus.resume(limited, "a", slow.emit.given()),
        NotWaitingError,
        'signal "slow" is not waiting, it ended with "expired", instance is completed',
      );
      // An advance may be left for a moment: the one of a delivery that another turn has read.
      if (sql) {
        assertEquals([...await sql`select id from hephaestus.jobs where kind <> 'advance'`], []);
      }
    },
  );
});

onPostgres("a caller's transaction", (it) => {
  class Undo extends Error {}

  it("starts, resumes, schedules and cancels with its commit, or not at all", {
    workflows: [ask],
  }, async ({ hephaestus, work, sql }) => {
    await work();
    await hephaestus.start(ask, "there", undefined);
    await hephaestus.start(ask, "other", undefined);
    const given = approval.emit.approved("with the commit");
    const undone = sql.begin(async (tx) => {
      await hephaestus.start(ask, "new", undefined, { tx });
      assertEquals(await hephaestus.resume(ask, "there", given, { tx }), "accepted");
      await hephaestus.scheduleResume(ask, "there", given, { tx, after: 0 });
      await hephaestus.cancel(ask, "other", { tx });
      throw new Undo();
    });
    await assertRejects(() => undone, Undo);
    assertEquals(await hephaestus.get(ask, "new"), undefined);
    assertEquals((await hephaestus.get(ask, "there"))?.status, "waiting");
    assertEquals((await hephaestus.get(ask, "other"))?.status, "waiting");

    const handle = await sql.begin(async (tx) => {
      await hephaestus.cancel(ask, "other", { tx });
      await hephaestus.resume(ask, "there", given, { tx });
      const handle = await hephaestus.start(ask, "new", undefined, { tx });
      await hephaestus.resume(ask, "new", given, { tx });
      return handle;
    });

    assertEquals((await handle.result()).status, "completed");
    const there = await hephaestus.handle(ask, "there");
    assertEquals((await there!.result()).status, "completed");
    assertEquals((await hephaestus.get(ask, "other"))?.status, "cancelled");
  });
});
