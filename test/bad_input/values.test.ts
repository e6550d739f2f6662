import { describe, it as nodeIt } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  done,
  Hephaestus,
  InvalidValueError,
  PayloadTooLargeError,
  signal,
  step,
  type,
  workflow,
} from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { hostileValues } from "../core/value/hostile_values.ts";
import { everywhere } from "../everywhere.ts";

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;
const values = hostileValues.filter(({ title }) => title !== "undefined itself");
const retry = { attempts: 2, base: "1ms", max: "5ms" } as const;

const make = step("make", {
  // deno-lint-ignore no-explicit-any
  input: type<any>(),
  // deno-lint-ignore no-explicit-any
  events: { ok: type<any>() },
  retry,
  run({ input, emit }) {
    if (input.large) return emit.ok("x".repeat(input.large));
    const value = input.bad === undefined ? input : values[input.bad]!.make();
    return input.metadata ? emit.ok(1, { metadata: { value } as never }) : emit.ok(value);
  },
});
// deno-lint-ignore no-explicit-any
const making = workflow("making", { key: "id", input: type<any>(), start: make })
  .on(make, { ok: done })
  .build();
// deno-lint-ignore no-explicit-any
const answer = signal("answer", { events: { given: type<any>() } });
const asking = workflow("asking", { key: "id", input: type(), start: answer })
  .on(answer, { given: done })
  .build();
const workflows = [making, asking];

everywhere("a value that JSON cannot represent", (it) => {
  it("is refused as input and as metadata of a start, and harms no call beside it", {
    workflows,
  }, async ({ hephaestus }) => {
    const good = Array.from(
      { length: 100 },
      (_, n) => hephaestus.start(making, `good-${n}`, { n }),
    );
    const bad = values.flatMap(({ title, make, says }, n) => [
      refused(hephaestus.start(making, `bad-${n}`, make()), "input of workflow", says, title),
      refused(
        hephaestus.start(making, `bad-${n}`, {}, { metadata: any({ x: make() }) }),
        "metadata of workflow",
        "value ",
        title,
      ),
    ]);

    await Promise.all(bad);
    await Promise.all(good);

    const { items } = await hephaestus.list({ limit: 500 });
    assertEquals(
      items.map(({ key, input }) => [key, any(input).n]).sort((a, b) => a[1] - b[1]),
      Array.from({ length: 100 }, (_, n) => [`id::good-${n}`, n]),
    );
    assertEquals(any({}).polluted, undefined);
  });

  it("is refused as a delivery, now and scheduled, and harms no delivery beside it", {
    workflows,
  }, async ({ hephaestus, work }) => {
    const handles = await Promise.all(
      Array.from({ length: 100 }, (_, n) => hephaestus.start(asking, `good-${n}`, undefined)),
    );
    await hephaestus.start(asking, "bad", undefined);

    const calls = handles.map((_, n) =>
      hephaestus.resume(asking, `good-${n}`, answer.emit.given({ n }))
    );
    await Promise.all(values.flatMap(({ title, make, says }) => [
      refused(hephaestus.resume(asking, "bad", answer.emit.given(make())), "output", says, title),
      refused(
        hephaestus.scheduleResume(asking, "bad", answer.emit.given(make()), { after: "1s" }),
        "output",
        says,
        title,
      ),
    ]));

    assertEquals(await Promise.all(calls), Array(100).fill("accepted"));
    await work();
    const ends = await Promise.all(handles.map((handle) => handle.result()));
    assertEquals(ends.filter(({ status }) => status !== "completed"), []);
    const bad = await hephaestus.get(asking, "bad");
    assertEquals([bad?.status, await hephaestus.history(asking, "bad")], ["waiting", []]);
  });

  it("fails the step that returns it, after its attempts, and no step beside it", {
    workflows,
  }, async ({ hephaestus, work }) => {
    await work({ queues: { default: 20 } });
    const good = [];
    const bad = [];
    for (const [n, { says }] of values.entries()) {
      good.push(await hephaestus.start(making, `good-${n}`, { n }));
      bad.push({ says, handle: await hephaestus.start(making, `bad-${n}`, { bad: n }) });
      bad.push({
        says: "metadata of step",
        handle: await hephaestus.start(making, `meta-${n}`, { bad: n, metadata: true }),
      });
    }

    for (const { handle, says } of bad) {
      const end = await handle.result();
      assertEquals(end.status, "failed");
      assertEquals(end.error?.name, "InvalidValueError");
      assertStringIncludes(end.error!.message, says);
      const [entry] = await hephaestus.history(making, { id: end.id });
      assertEquals([entry?.event, entry?.attempts, entry?.errors.length], ["__failed__", 2, 2]);
    }
    for (const [n, handle] of good.entries()) {
      assertEquals((await handle.result()).status, "completed");
      assertEquals((await hephaestus.history(making, { id: handle.id }))[0]?.output, { n });
    }
  });
});

everywhere("a value over the limit", (it) => {
  it("is refused as input and delivery, and fails the step that returns it", {
    workflows,
    payloadLimit: 1_000,
  }, async ({ hephaestus, work }) => {
    const large = "x".repeat(1_001);
    await assertRejects(
      () => hephaestus.start(making, "large", large),
      PayloadTooLargeError,
      'Cannot store input of workflow "making": it has at least 1003 bytes, and the limit is 1000',
    );
    await hephaestus.start(asking, "one", undefined);
    await assertRejects(
      () => hephaestus.resume(asking, "one", answer.emit.given(large)),
      PayloadTooLargeError,
      "the limit is 1000",
    );
    await work();
    const fits = await hephaestus.start(making, "fits", { large: 998 });
    const over = await hephaestus.start(making, "over", { large: 1_001 });

    assertEquals((await fits.result()).status, "completed");
    const end = await over.result();
    assertEquals([end.status, end.error?.name], ["failed", "PayloadTooLargeError"]);
    assertEquals((await hephaestus.history(making, "over"))[0]?.errors.length, 2);
  });

  it("is one of more than a megabyte by default", { workflows }, async ({ hephaestus }) => {
    await assertRejects(
      () => hephaestus.start(making, "large", "x".repeat(1_048_577)),
      PayloadTooLargeError,
      "the limit is 1048576",
    );
    await hephaestus.start(making, "fits", "x".repeat(1_048_000));
    const { items } = await hephaestus.list(making);
    assertEquals(items.map(({ input }) => any(input).length), [1_048_000]);
  });
});

describe("the option payloadLimit", () => {
  nodeIt("is refused when it is no number of bytes", () => {
    for (const payloadLimit of [0, -1, 1.5, NaN, Infinity, "1", 2 ** 30]) {
      let error: unknown;
      try {
        new Hephaestus({ backend: memory(), workflows: [], payloadLimit: any(payloadLimit) });
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof RangeError);
      assertStringIncludes(error.message, "Cannot use the option payloadLimit");
    }
  });
});

async function refused(
  call: Promise<unknown>,
  what: string,
  says: string,
  title: string,
): Promise<void> {
  const error = await assertRejects(() => call, InvalidValueError, undefined, title);
  assertStringIncludes(error.message, what, title);
  assertStringIncludes(error.message, says, title);
}
