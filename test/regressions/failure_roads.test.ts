import { assertEquals } from "@std/assert";
import { choice, done, FatalError, first, join, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere, onPostgres } from "../everywhere.ts";

const retry = { attempts: 2, backoff: "constant", base: "1ms" } as const;
const fork = choice("fork", { events: { go: type() }, decide: ({ emit }) => emit.go() });
const note = step("note", { events: { ok: type() }, run: ({ emit }) => emit.ok() });

everywhere("a step whose row has a road for failed", (it) => {
  const charge = step("charge", {
    events: { charged: type<{ receipt: string }>(), declined: type() },
    retry,
    run({ attempt }) {
      throw Object.assign(new RangeError(`attempt ${attempt}`), { code: "E_GATEWAY" });
    },
  });
  const dunning = step("dunning", {
    needs: [charge.when("failed")],
    events: { sent: type<string>() },
    run: ({ steps: { charge }, emit }) =>
      emit.sent(`${charge.name} ${charge.code} ${charge.message} ${charge.attempts}`),
  });
  const billing = workflow("billing", { key: "id", input: type(), start: fork })
    .on(fork, { go: [charge, note] })
    .on(note, { ok: done })
    .on(charge, { charged: done, declined: done, failed: dunning })
    .on(dunning, { sent: done })
    .build();

  it("continues there when its attempts are used up, and the next step reads the failure", {
    workflows: [billing],
  }, async ({ hephaestus, work, sql }) => {
    const told: unknown[] = [];
    hephaestus.on("job:discard", ({ step, error }) => void told.push([step, error.message]));
    hephaestus.on("workflow:transition", ({ step, event, started }) => {
      if (step === "charge") told.push([event, ...started]);
    });
    await work();
    const handle = await hephaestus.start(billing, "a", undefined);

    const { status, error } = await handle.result();

    assertEquals([status, error], ["completed", undefined]);
    const history = await hephaestus.history(billing, "a");
    const failed = history.find(({ step }) => step === "charge");
    assertEquals([failed?.event, failed?.state, failed?.attempts], ["failed", "applied", 2]);
    assertEquals(failed?.errors.map(({ message }) => message), ["attempt 1", "attempt 2"]);
    const sent = history.find(({ step }) => step === "dunning");
    assertEquals(sent?.output, "RangeError E_GATEWAY attempt 2 2");
    assertEquals(told, [["charge", "attempt 2"], ["failed", "dunning"]]);
    if (sql === undefined) return;
    await eventually(
      async () => (await sql`select from hephaestus.jobs`).length === 0,
      "no job is left",
    );
  });

  const stolen = step("stolen", {
    events: { ok: type() },
    run() {
      throw new FatalError("The card was stolen");
    },
  });
  const again = stolen.as("again");
  const either = workflow("either", { key: "id", input: type(), start: fork })
    .on(fork, { go: [stolen, again] })
    .on(stolen, { ok: done, failed: first(note) })
    .on(again, { ok: done, failed: first(note) })
    .on(note, { ok: done })
    .build();

  it("starts a step once where two failures lead to it with first", {
    workflows: [either],
  }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(either, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    const history = await hephaestus.history(either, "a");
    assertEquals(
      history.map(({ step, event, attempts }) => `${step} ${event} ${attempts}`).sort(),
      [
        "again failed 1",
        "fork go 1",
        "note ok 1",
        "stolen failed 1",
      ],
    );
  });

  const works = step("works", {
    events: { ok: type<number>() },
    run: ({ emit }) => emit.ok(7),
  });
  const report = step("report", {
    needs: [stolen.settled(), works.outcome()],
    sees: [again.settled()],
    events: { ok: type<string>() },
    run({ steps, seen, emit }) {
      const { event, output } = steps.stolen;
      const why = event === "failed" ? output.message : "";
      return emit.ok(`${event} ${why}, ${steps.works.output}, ${seen.again?.event}`);
    },
  });
  const settling = workflow("settling", { key: "id", input: type(), start: again })
    .on(again, { ok: fork, failed: fork })
    .on(fork, { go: [stolen, works] })
    .on(stolen, { ok: join(report), failed: join(report) })
    .on(works, { ok: join(report) })
    .on(report, { ok: done })
    .build();

  it("joins with its failure, and settled() reads either end", {
    workflows: [settling],
  }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(settling, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    const history = await hephaestus.history(settling, "a");
    const { output } = history.find(({ step }) => step === "report")!;
    assertEquals(output, "failed The card was stolen, 7, failed");
  });

  const ordered = step("ordered", {
    async: true,
    events: { delivered: type() },
    run() {
      throw new FatalError("No truck");
    },
  });
  const delivery = workflow("delivery", { key: "id", input: type(), start: ordered })
    .on(ordered, { delivered: done, failed: note })
    .on(note, { ok: done })
    .build();

  it("continues there when it is asynchronous, and no delivery is accepted any more", {
    workflows: [delivery],
  }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(delivery, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    const [entry] = await hephaestus.history(delivery, "a");
    assertEquals([entry?.step, entry?.event], ["ordered", "failed"]);
  });
});

onPostgres("a step whose row has a road for failed", (it) => {
  const writes = step("writes", {
    events: { ok: type() },
    retry,
    run: ({ tx, emit }) =>
      tx(async (sql) => {
        await sql`insert into effects values ('writes')`;
        await sql`select 1 / 0`;
        return emit.ok();
      }),
  });
  const writing = workflow("writing", { key: "id", input: type(), start: writes })
    .on(writes, { ok: done, failed: note })
    .on(note, { ok: done })
    .build();

  it("leaves nothing of what it wrote through tx", {
    workflows: [writing],
  }, async ({ hephaestus, work, sql }) => {
    await sql`create table effects (name text)`;
    await work();
    const handle = await hephaestus.start(writing, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    assertEquals([...await sql`select name from effects`], []);
  });
});
