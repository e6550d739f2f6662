import { assert, assertEquals } from "@std/assert";
import { done, join, signal, step, timer, type, type Workflow, workflow } from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

const pass = <const Name extends string>(name: Name, queue?: string) =>
  step(name, { events: { ok: type() }, ...(queue && { queue }), run: ({ emit }) => emit.ok() });

everywhere("twenty branches under a limit of ten", (it) => {
  let now = 0;
  let most = 0;
  let runs = 0;
  let both = new Gate();
  const fork = pass("fork");
  const end = pass("end");
  const branch = step("branch", {
    events: { ok: type() },
    async run({ emit }) {
      now++;
      runs++;
      most = Math.max(most, now);
      if (runs === 10) both.open();
      await both.opened;
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
      return emit.ok();
    },
  });
  const branches = Array.from({ length: 20 }, (_, n) => branch.as(`b${n}`));
  // The rows are made in a loop, which no type can follow.
  // deno-lint-ignore no-explicit-any
  let rows: any = workflow("wide", { key: "id", input: type(), start: fork });
  rows = rows.on(fork, { ok: branches });
  for (const one of branches) rows = rows.on(one, { ok: join(end) });
  const wide: Workflow = rows.on(end, { ok: done }).build();

  it("are never more than ten at once, and all of them run", { workflows: [wide] }, async ({
    hephaestus,
    work,
  }) => {
    [now, most, runs, both] = [0, 0, 0, new Gate()];
    await work({ queues: { default: 10 } });
    const handles = await Promise.all(
      ["a", "b"].map((key) => hephaestus.start(wide, key, undefined)),
    );

    const ends = await Promise.all(handles.map((handle) => handle.result()));

    assertEquals(ends.map(({ status }) => status), ["completed", "completed"]);
    assertEquals([runs, most], [40, 10]);
  });
});

everywhere("a queue", (it) => {
  const begin = pass("begin");
  const send = pass("send", "emails");
  const mail = workflow("mail", { key: "id", input: type(), start: begin })
    .on(begin, { ok: send })
    .on(send, { ok: done })
    .build();

  it(
    "of a step is served by those that name it, and by nobody else",
    { workflows: [mail] },
    async ({
      hephaestus,
      work,
      another,
    }) => {
      const ran: string[] = [];
      const other = another();
      for (const [engine, name] of [[hephaestus, "default"], [other, "emails"]] as const) {
        engine.on("step:start", ({ step }) => void ran.push(`${step} by ${name}`));
      }
      await work();
      const handle = await hephaestus.start(mail, "a", undefined);
      await eventually(
        async () => (await hephaestus.get(mail, "a"))?.active[0] === "send",
        "the mail is to be sent",
      );
      await other.work({ queues: { emails: 1 }, poll: "100ms" }).ready;
      if (handle.version === 1) {
        // An advance belongs to the other queue: a worker that serves it goes on.
        assertEquals((await handle.result()).status, "completed");
      }

      assertEquals(ran, ["begin by default", "send by emails"]);
    },
  );

  const nap = timer("nap", "1ms");
  const ask = signal("ask", { events: { told: type() } });
  const split = workflow("split", { key: "id", input: type(), start: begin })
    .on(begin, { ok: nap })
    .on(nap, { elapsed: ask })
    .on(ask, { told: done })
    .build();

  it("of each worker is the one that the constructor names", {
    workflows: [split],
    queues: { advance: "orchestration", execute: "work", resume: "clock" },
  }, async ({ hephaestus, work, inline }) => {
    const claimed = new Map<string, Set<string>>();
    hephaestus.on("job:claim", ({ queue, jobs }) => {
      claimed.set(queue, new Set([...claimed.get(queue) ?? [], ...jobs]));
    });
    const handle = await hephaestus.start(split, "a", undefined);
    await work({ queues: { orchestration: 2, work: 2, clock: 2 } });
    await eventually(
      async () => (await hephaestus.get(split, "a"))?.status === "waiting",
      "it waits for an answer",
    );
    await hephaestus.resume(split, "a", ask.emit.told());

    assertEquals((await handle.result()).status, "completed");
    assertEquals([...claimed.keys()].sort(), ["clock", "orchestration", "work"]);
    assertEquals(claimed.get("work")?.size, 1);
    if (!inline) assert(claimed.get("orchestration")!.size >= 2);
  });
});

onPostgres("a schema with a hostile name", (it) => {
  const begin = step("begin", {
    events: { ok: type<string>() },
    run: ({ tx, emit }) =>
      tx(async (sql) => {
        const [row] = await sql<{ name: string }>`select current_database() as name`;
        return emit.ok(row!.name);
      }),
  });
  const nap = timer("nap", "1ms");
  const ask = signal("ask", { events: { told: type() }, expires: "1h" });
  const broken = step("broken", {
    events: { ok: type() },
    retry: { attempts: 2, base: "1ms" },
    run: () => {
      throw new Error("broken");
    },
  });
  const flow = workflow("flow", { key: "id", input: type(), start: begin })
    .on(begin, { ok: nap })
    .on(nap, { elapsed: ask })
    .on(ask, { told: done, expired: broken })
    .on(broken, { ok: done })
    .build();
  const fails = workflow("fails", { key: "id", input: type(), start: broken })
    .on(broken, { ok: done })
    .build();
  const schema = 'we"ird; drop';

  it("is used for everything, and no other schema is", { workflows: [flow, fails] }, async ({
    hephaestus,
    another,
    sql,
    url,
  }) => {
    const odd = another({ schema });
    const worker = odd.work({ poll: "100ms" });
    const db = connect({ url, max: 1 });
    await migrate(db, { schema });
    await db.close();
    await worker.ready;

    const handle = await odd.start(flow, "a", undefined);
    await odd.start(flow, "b", undefined);
    const failed = await odd.start(fails, "a", undefined);
    const told = ask.emit.told();
    const job = await odd.scheduleResume(flow, "a", told, { after: "1h" });
    await odd.cancelJob(job);
    await odd.cancel(flow, "b");
    await odd.resume(flow, "a", told);

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await failed.result()).status, "failed");
    assertEquals((await odd.history(flow, "a")).map(({ step }) => step), ["begin", "nap", "ask"]);
    assertEquals((await odd.list()).items.length, 3);
    await sql.begin((tx) => odd.start(flow, "c", undefined, { tx }));
    assertEquals([...await sql`select id from hephaestus.processes`], []);
    await worker.stop();
    assertEquals((await hephaestus.list()).items, []);
    assertEquals([...await sql`select id from hephaestus.jobs`], []);
  });
});
