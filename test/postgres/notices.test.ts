import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  endedPayload,
  queuesToWake,
  readEnded,
  readQueues,
  wakePayload,
} from "../../src/postgres/notifications.ts";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { eventually, silent } from "../everywhere.ts";
import { migrated } from "../pg.ts";

const long = (count: number) =>
  Array.from({ length: count }, (_, n) => `${"Aufträge 注文 ".repeat(4)}${n}`);

const id = (n: number) => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;

describe("a notification", () => {
  it("names queues, whatever they are called, as long as there is room", () => {
    for (const queues of [["a"], ["a,b", "%", "c d"], ["注文", "*"], long(5)]) {
      assertEquals(readQueues(wakePayload(queues)), [...queues].sort());
    }
  });

  it("stays below the 8,000 bytes that PostgreSQL takes, and names no queue then", () => {
    for (const count of [100, 10_000]) {
      const payload = wakePayload(long(count));
      assert(new TextEncoder().encode(payload).length < 8_000);
      assertEquals(readQueues(payload), []);
    }
    const exactly = (length: number) => wakePayload(["a".repeat(length)]).length;
    assertEquals([exactly(7_999), exactly(8_000)], [7_999, 1]);
    const wakes = long(100).map((queue) => ({ wake: { queue, workflow: "w", version: 1 } }));
    assertEquals(readQueues(queuesToWake(wakes, [])), []);
  });

  it("stays below it with instances that have ended, and names none then", () => {
    for (const count of [1, 200, 215, 216, 10_000]) {
      const ids = Array.from({ length: count }, (_, n) => id(n));
      for (const process of ["1", "9223372036854775807"]) {
        const payload = endedPayload(process, ids);
        assert(payload.length < 8_000, `${count}`);
        const read = readEnded(payload);
        assertEquals(read.by, process);
        assert(read.instances.length === 0 || read.instances.length === count);
      }
    }
    assertEquals(readEnded(endedPayload("7", [id(1), id(2)])).instances, [id(1), id(2)]);
  });

  it("of somebody else is no failure", () => {
    assertEquals(readQueues("%zz"), []);
  });
});

describe("a turn that wakes a hundred queues with long names", () => {
  for (const inline of [true, false]) {
    it(`is written, ${inline ? "inline" : "through jobs"}`, async () => {
      await using own = await migrated();
      const queues = long(100);
      const steps = queues.map((queue, n) =>
        step(`s${n}`, { queue, events: { ok: type() }, run: ({ emit }) => emit.ok() })
      );
      const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
      // deno-lint-ignore no-explicit-any -- a hundred rows have a type that nobody can write down
      let rows: any = workflow("wide", { key: "id", input: type(), start: begin })
        .on(begin, { ok: steps as never });
      for (const one of steps) rows = rows.on(one, { ok: done });
      const wide = rows.build();
      await using engine = new Hephaestus({
        url: own.url,
        workflows: [wide],
        inline,
        poolSize: 5,
        logger: silent,
      });
      await using worker = engine.work({ poll: "50ms" });
      await worker.ready;

      await engine.start(wide, "a", undefined);

      await eventually(async () => {
        const [row] = await own
          .sql`select count(*)::int as n from hephaestus.jobs where step ~ '^s'`;
        return row?.n === 100;
      }, "the jobs of all queues are there");
    });
  }
});
