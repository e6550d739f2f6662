import { assertEquals } from "@std/assert";
import { choice, done, first, join, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

onPostgres("what a step writes through tx", (it) => {
  let troubles: string[] = [];
  const write = step("write", {
    input: type<number>(),
    events: { written: type<{ readonly lines: number }>() },
    retry: { attempts: 5, base: "1ms" },
    run({ input, emit, tx, attempt }) {
      return tx(async (sql) => {
        await sql`insert into ledger (n, attempt) values (${input}, ${attempt})`;
        const trouble = troubles.shift();
        if (trouble === "throw") throw new Error("after the insert");
        if (trouble === "undeclared") return { event: "lost", output: undefined } as never;
        if (trouble !== undefined) await sql.query(trouble);
        const [row] = await sql.query<{ lines: string }>(
          "select count(*)::text as lines from ledger where n = $1",
          [String(input)],
        );
        return emit.written({ lines: Number(row!.lines) });
      });
    },
  });
  const after = step("after", {
    needs: [write.when("written")],
    events: { seen: type<number>() },
    run: ({ steps, emit }) => emit.seen(steps.write.lines),
  });
  const book = workflow("book", { key: "id", input: type<number>(), start: write })
    .on(write, { written: after })
    .on(after, { seen: done })
    .build();

  it("is rolled back when it fails and commits exactly once with the result", {
    workflows: [book],
  }, async ({ hephaestus, work, sql }) => {
    await sql`create table ledger (n int, attempt int)`;
    troubles = ["throw", "undeclared", "select 1/0", "commit"];
    await work();
    const handle = await hephaestus.start(book, "a", 7);

    assertEquals((await handle.result()).status, "completed");

    assertEquals([...await sql`select n, attempt from ledger`], [{ n: 7, attempt: 5 }]);
    const told = await hephaestus.history(book, "a");
    assertEquals(told.map(({ output }) => output), [{ lines: 1 }, 1]);
    assertEquals([told[0]?.attempts, told[0]?.errors.length], [5, 4]);
  });

  it("commits once for each of thirty instances at the same time", { workflows: [book] }, async ({
    hephaestus,
    work,
    sql,
  }) => {
    await sql`create table ledger (n int, attempt int)`;
    troubles = [];
    await work();
    const handles = await Promise.all(
      Array.from({ length: 30 }, (_, n) => hephaestus.start(book, `k${n}`, n)),
    );

    await Promise.all(handles.map((handle) => handle.result()));

    const [{ lines, numbers } = { lines: 0, numbers: 0 }] = await sql`
      select count(*)::int as lines, count(distinct n)::int as numbers from ledger`;
    assertEquals([lines, numbers], [30, 30]);
  });

  const gate = new Gate();
  let began = 0;
  const late = step("late", {
    events: { ok: type() },
    async run({ emit, tx }) {
      began++;
      await gate.opened;
      return tx(async (sql) => {
        await sql`insert into ledger (n) values (1)`;
        return emit.ok();
      });
    },
  });
  const ends = workflow("ends", { key: "id", input: type(), start: late })
    .on(late, { ok: done })
    .build();

  it("does not stay when the instance was cancelled meanwhile", { workflows: [ends] }, async ({
    hephaestus,
    work,
    another,
    sql,
  }) => {
    began = 0;
    await sql`create table ledger (n int, attempt int)`;
    const other = another();
    const worker = await work();
    const handle = await hephaestus.start(ends, "a", undefined);
    await eventually(() => began > 0, "the step runs");
    await other.cancel(ends, { id: handle.id });

    gate.open();
    await worker.stop();

    assertEquals([...await sql`select n from ledger`], []);
  });
});

everywhere("what a step reads", (it) => {
  const gates = { fast: new Gate(), slow: new Gate() };
  const fork = step("fork", {
    events: { ok: type<string>() },
    run: ({ emit, instance }) => emit.ok(instance.key),
  });
  const fast = step("fast", {
    events: { ok: type<string>(), bad: type() },
    run: async ({ emit }) => (await gates.fast.opened, emit.ok("fast")),
  });
  const slow = step("slow", {
    events: { ok: type<string>(), bad: type<string>() },
    run: async ({ emit }) => (await gates.slow.opened, emit.bad("slow")),
  });
  const look = step("look", {
    needs: [fork.when("ok")],
    queue: "looks",
    sees: [fast.when("ok"), slow.when("bad")],
    events: { seen: type<string>() },
    run: ({ seen, steps, emit }) => emit.seen(`${steps.fork} ${seen.fast} ${seen.slow}`),
  });
  const both = choice("both", {
    needs: [fast.outcome(), slow.outcome(), fork.outcome()],
    events: { told: type<string>() },
    decide: ({ steps: { fork, fast, slow }, emit }) =>
      emit.told([fork, fast, slow].map(({ event, output }) => `${event}=${output}`).join(" ")),
  });
  const causal = workflow("causal", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [fast, slow] })
    .on(fast, { ok: first(look), bad: first(look) })
    .on(slow, { ok: first(look), bad: first(look) })
    .on(look, { seen: done })
    .build();
  const settled = workflow("settled", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [fast, slow] })
    .on(fast, { ok: join(both), bad: join(both) })
    .on(slow, { ok: join(both), bad: join(both) })
    .on(both, { told: done })
    .build();

  it("comes from its causal past, never from a parallel branch that was quick", {
    workflows: [causal, settled],
  }, async ({ hephaestus, work, another }) => {
    const other = another();
    await other.work({ queues: { default: 5 }, poll: "100ms" }).ready;
    const one = await hephaestus.start(causal, "a", undefined);
    const active = async () => [...(await hephaestus.get(causal, "a"))!.active].sort().join();
    gates.slow.open();
    await eventually(async () => await active() === "fast,look", "the slow one was first");
    gates.fast.open();
    await eventually(async () => await active() === "look", "both have ended");
    await work({ queues: { default: 5, looks: 1 } });
    const two = await hephaestus.start(settled, "a", undefined);

    assertEquals([(await one.result()).status, (await two.result()).status], [
      "completed",
      "completed",
    ]);
    const looked = (await hephaestus.history(causal, "a")).find(({ step }) => step === "look");
    assertEquals(looked?.output, "id::a undefined slow");
    const told = (await hephaestus.history(settled, "a")).at(-1);
    assertEquals(told?.output, "ok=id::a ok=fast bad=slow");
  });
});

onPostgres("an instance that has something to do", (it) => {
  const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const [a, b, c, end] = [work.as("a"), work.as("b"), work.as("c"), work.as("end")];
  const flow = workflow("flow", { key: "id", input: type(), start: work })
    .on(work, { ok: [a, b] })
    .on(a, { ok: c })
    .on(b, { ok: join(end) })
    .on(c, { ok: join(end) })
    .on(end, { ok: done })
    .build();

  it("is never seen without a job for it", { workflows: [flow] }, async ({
    hephaestus,
    work,
    sql,
  }) => {
    let over = false;
    let stranded = 0;
    const watching = (async () => {
      while (!over) {
        stranded += (await sql`
          select from hephaestus.workflow_instances i
          where status in ('pending', 'running') and not exists (
            select from hephaestus.jobs j where j.instance_id = i.id
              and state in ('available', 'scheduled', 'executing', 'retryable'))`).length;
      }
    })();
    await work();
    const handles = await Promise.all(
      Array.from({ length: 40 }, (_, n) => hephaestus.start(flow, `k${n}`, undefined)),
    );
    await Promise.all(handles.map((handle) => handle.result()));
    over = true;
    await watching;

    assertEquals(stranded, 0);
  });
});
