import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  again,
  choice,
  done,
  drop,
  each,
  FatalError,
  Hephaestus,
  type HistoryEntry,
  signal,
  step,
  type,
  workflow,
} from "../../mod.ts";
import { doctor } from "../../src/postgres/maintenance/doctor.ts";
import { eventually, Gate, onPostgres, silent } from "../everywhere.ts";
import { proxy } from "../proxy.ts";
import { assertSound } from "./story.ts";

type Input = { readonly list: readonly number[] };
const input = type<Input>();
const events = { ok: type<number>() };
const over = ({ input }: { readonly input: Input }) => input.list;

function half(item: number): number {
  if (item < 0) throw new FatalError(`${item} is negative`);
  return item / 2;
}
const all = each("all", {
  input,
  over,
  onFailure: "continue",
  events,
  run: ({ item, emit }) => emit.ok(half(item)),
});
const some = each("some", {
  input,
  over,
  limit: 1,
  onFailure: { threshold: 1 },
  events,
  run: ({ item, emit }) => emit.ok(half(item)),
});
const sum = choice("sum", {
  needs: [all.when("finished")],
  events: { even: type<number>(), broken: type<string>() },
  decide({ steps, emit }) {
    const failed = steps.all.find((one) => one.event === "failed");
    if (failed?.event === "failed") return emit.broken(failed.output.message);
    return emit.even(
      steps.all.reduce((sum, one) => one.event === "ok" ? sum + one.output : sum, 0),
    );
  },
});
const report = step("report", {
  needs: [some.when("failed")],
  sees: [all.every("finished")],
  events: { reported: type<string>() },
  run: ({ steps: { some: { index, failed, message, attempts } }, seen, emit }) =>
    emit.reported(`${index} of ${failed}: ${message}, ${attempts}, ${seen.all[0]?.length} seen`),
});
const summing = workflow("summing", { key: "id", input, start: all })
  .on(all, { finished: sum })
  .on(sum, { even: done, broken: some })
  .on(some, { finished: done, failed: report })
  .on(report, { reported: done })
  .build();

let gate = new Gate();
let aborted = 0;
const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const slow = each("slow", {
  input,
  over,
  limit: 2,
  events,
  async run({ item, abortSignal, emit }) {
    abortSignal.addEventListener("abort", () => void aborted++);
    await gate.opened;
    return emit.ok(item);
  },
});
const stop = signal("stop", { events: { now: type() } });
const last = stop.as("last");
const stopping = workflow("stopping", { key: "id", input, start: begin })
  .on(begin, { ok: [slow, stop] })
  .on(slow, { finished: [done, drop(stop)] })
  .on(stop, { now: [last, drop(slow)] })
  .on(last, { now: done })
  .build();

const round = step("round", {
  rounds: type<readonly { readonly output: number }[]>(),
  events: { ok: type<number>() },
  run: ({ rounds, emit }) => emit.ok(rounds.flat().length),
});
const double = each("double", {
  needs: [round.when("ok")],
  over: ({ steps }) => [steps.round, steps.round + 1],
  events,
  run: ({ item, activation, emit }) => emit.ok(item * 10 + activation),
});
const looping = workflow("looping", { key: "id", input: type(), start: round })
  .on(round, { ok: double })
  .on(double, { finished: again(round, { limit: 3, then: done }) })
  .build();

let asked = 0;
const bad = each("bad", {
  input: type<string>(),
  over({ input }): readonly number[] {
    if (input === "throws") throw new RangeError("no list");
    if (input === "promise") return Promise.reject(new Error("late")) as never;
    if (input === "text") return "abc" as never;
    if (input === "long") return { length: 2 ** 20 + 1 } as never;
    if (input === "huge") return new Array(2 ** 20 + 1);
    return Array.from({ length: input === "changes" ? ++asked : 2 });
  },
  events,
  retry: { attempts: 1 },
  run: ({ emit }) => emit.ok(1),
});
const careless = workflow("careless", { key: "id", input: type<string>(), start: bad })
  .on(bad, { finished: done })
  .build();

const write = each("write", {
  input,
  over,
  limit: 4,
  events,
  run: ({ item, emit, tx }) =>
    tx(async (sql) => {
      await sql`insert into effects values (${item})`;
      return emit.ok(item);
    }),
});
const writing = workflow("writing", { key: "id", input, start: write })
  .on(write, { finished: done })
  .build();
const plainly = workflow("plainly", { key: "id", input, start: all }).on(all, { finished: done })
  .build();

const workflows = [summing, stopping, looping, careless, writing, plainly];
const numbers = (length: number) => Array.from({ length }, (_, index) => 2 * index);

function told(history: readonly HistoryEntry[]): string[] {
  return history.filter(({ event }) => event !== "__items__")
    .map(({ step, activation, event }) => `${step} ${activation} ${event}`);
}

onPostgres("the end of a step over a list", (it) => {
  it("is read by a choice in the same turn, and has the failures where others run on", {
    workflows,
  }, async ({ hephaestus, work }) => {
    await work();
    const end = async (id: string, list: readonly number[]) => {
      await (await hephaestus.start(summing, id, { list })).result();
      return (await hephaestus.history(summing, id)).at(-1);
    };
    assertEquals((await end("fine", numbers(12)))?.output, 66);
    assertEquals((await end("none", []))?.output, 0);
    const last = await end("broken", [-2, 2, -4, 4, -6, 6]);
    assertEquals(last?.output, "0 of 2: -2 is negative, 1, 6 seen");
    const rows = told(await hephaestus.history(summing, "broken"));
    assertEquals(rows.filter((row) => row.startsWith("some")), [
      "some[] 1 failed",
      "some[] 2 ok",
      "some[] 3 failed",
      "some 1 failed",
    ]);
  });

  it("is not reached by a list that is dropped or cancelled: its items are aborted", {
    workflows,
  }, async ({ hephaestus, work, jobs, sql, url }) => {
    gate = new Gate();
    aborted = 0;
    await work();
    const dropped = await hephaestus.start(stopping, "a", { list: numbers(5) });
    const cancelled = await hephaestus.start(stopping, "b", { list: numbers(5) });
    const running = async () => (await jobs()).filter(({ step }) => step === "slow[]").length;
    await eventually(async () => await running() === 4, "items run");
    assertEquals((await doctor({ url })).violations, []);
    await hephaestus.resume(stopping, "a", stop.emit.now());
    await eventually(() => aborted === 2, "the items are aborted");
    assertEquals(await running(), 2);
    assertEquals((await doctor({ url })).violations, []);
    await hephaestus.resume(stopping, "a", last.emit.now());
    await hephaestus.cancel(stopping, "b");
    assertEquals((await dropped.result()).status, "completed");
    assertEquals((await cancelled.result()).status, "cancelled");
    assertEquals(told(await hephaestus.history(stopping, "a")), [
      "begin 1 ok",
      "stop 1 now",
      "slow 1 __dropped__",
      "last 1 now",
    ]);
    await assertSound(sql);
    gate.open();
  });

  it("takes its outcomes back into a loop, whose rounds have items of their own", {
    workflows,
  }, async ({ hephaestus, work, sql }) => {
    await work();
    await (await hephaestus.start(looping, "one", undefined)).result();
    const rows = (await hephaestus.history(looping, "one"))
      .filter(({ step }) => step === "double[]").map(({ activation, output }) =>
        [Math.floor(activation / 2 ** 20), output] as const
      );
    assertEquals(rows.map(([round]) => round).sort(), [0, 0, 1, 1, 2, 2]);
    assertEquals(rows.map(([, output]) => output as number).sort((a, b) => a - b), [
      ...[1, 11, 22, 32, 43, 53],
    ]);
    await assertSound(sql);
  });

  it("is a failure where the list is none, is too long or is not the same twice", {
    workflows,
  }, async ({ hephaestus, work }) => {
    asked = 0;
    await work();
    const why = async (input: string) => {
      const { status, error } = await (await hephaestus.start(careless, input, input)).result();
      assertEquals(status, "failed");
      return `${error?.code}: ${error?.message}`;
    };
    const cannot = 'INVALID_ITEMS: Cannot list the items of each "bad": option "over" has ';
    assertEquals(await why("throws"), `${cannot}thrown. no list`);
    assertEquals(
      await why("promise"),
      `${cannot}returned a promise, but must be synchronous`,
    );
    assertEquals(await why("text"), `${cannot}returned a string, and no array`);
    assertEquals(await why("long"), `${cannot}returned an object, and no array`);
    assertEquals(await why("huge"), `${cannot}returned 1048577 items. The limit is 1048576`);
    assertStringIncludes(
      await why("changes"),
      'ITEMS_CHANGED: Cannot run an item of each "bad": option "over" has returned 2 items, and 1 when',
    );
    assertEquals(
      (await (await hephaestus.start(careless, "fine", "fine")).result()).status,
      "completed",
    );
  });

  it("comes once where several processes share the items", {
    workflows,
  }, async ({ hephaestus, another, sql }) => {
    await sql`create table effects (n int)`;
    const other = another();
    await using _one = hephaestus.work({ poll: "20ms" });
    await using _two = other.work({ poll: "20ms" });
    const list = numbers(30);
    const handle = await hephaestus.start(writing, "one", { list });
    assertEquals((await handle.result()).status, "completed");
    const rows = await sql<{ n: number }[]>`select n from effects order by n`;
    assertEquals(rows.map(({ n }) => n), list);
    await assertSound(sql);
  });

  it(
    "comes once where the answer to a turn is lost",
    { workflows },
    async ({ url, sql }) => {
      await sql`create table effects (n int)`;
      await using road = await proxy(url);
      await using here = new Hephaestus({ url: road.url, workflows, logger: silent, poolSize: 8 });
      await using worker = here.work({ poll: "50ms" });
      await worker.ready;
      for (const workflow of [plainly, writing]) {
        road.swallowAnswerTo("[]");
        const handle = await here.start(workflow, "one", { list: numbers(12) });
        assertEquals((await handle.result()).status, "completed");
        const items = (await here.history(workflow, "one")).filter(({ step }) =>
          step.endsWith("[]")
        );
        assertEquals(items.length, 12);
        assert(items.every(({ event }) => event === "ok"));
      }
      assertEquals((await sql`select from effects`).length, 12);
      await assertSound(sql);
    },
  );
}, ["inline"]);
