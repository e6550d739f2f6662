import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  done,
  Hephaestus,
  signal,
  step,
  timer,
  type,
  workflow,
  WorkflowDefinitionError,
} from "../../mod.ts";
import { fakeClock, memory } from "../../src/testing/mod.ts";
import { silent } from "../everywhere.ts";

const events = { ok: type() };
const run = ({ emit }: { emit: { ok(): { event: "ok"; output: undefined } } }) => emit.ok();
const start = step("start", { events, run });
const never = new Date(NaN);

const refused: Readonly<Record<string, () => unknown>> = {
  'Cannot define timer "y": cannot use a Date that is not a valid time': () => timer("y", never),
  'Cannot define timer "y": there is no option "at"': () =>
    timer("y", { after: "1d", at: never } as { after: "1d" }),
  'Cannot define signal "y": cannot use a Date as option "expires" that is not a valid time': () =>
    signal("y", { events, expires: never }),
  'Cannot define step "y": option "deadline" must be longer than 0 milliseconds': () =>
    step("y", { events, deadline: 0, run }),
  'Cannot define step "y": option "deadline" is not for asynchronous steps: use option "expires"':
    () => step("y", { events, async: true, deadline: "1d", run }),
  'Cannot define signal "y": there is no option "deadline"': () =>
    signal("y", { events, deadline: "1d" } as { events: typeof events }),
  'Cannot build workflow "y": option "deadline" must be longer than 0 milliseconds': () =>
    workflow("y", { key: "id", input: type(), start, deadline: 0 }),
  'Cannot build workflow "y": cannot use duration "soon" as option "deadline": expected one number and one unit (ms, s, m, h, d or w), such as "250ms", "30s", "90m" or "7d"':
    () => workflow("y", { key: "id", input: type(), start, deadline: "soon" as "1d" }),
};

describe("a time that cannot be used", () => {
  for (const [sentence, define] of Object.entries(refused)) {
    it(`is refused: ${sentence.slice(0, 90)}`, () => {
      assertEquals(assertThrows(define, WorkflowDefinitionError).message, sentence);
    });
  }
});

describe("a function that computes a time", () => {
  const pauses = (after: () => unknown) => {
    const pause = timer("pause", { after: after as () => "1d" });
    return workflow("pauses", { key: "id", input: type(), start: pause })
      .on(pause, { elapsed: done })
      .build();
  };
  const wrong: readonly (readonly [why: string, after: () => unknown])[] = [
    ["cannot use duration of type undefined: expected one", () => undefined],
    ["cannot use duration of type object: expected one", () => ({ getTime: () => 1 })],
    ["cannot use duration 7: a number has no unit", () => 7],
    ["its function must be synchronous", () => Promise.reject(new Error("late"))],
    ["down", () => {
      throw "Down";
    }],
  ];
  for (const [why, after] of wrong) {
    it(`fails its instance: ${why}`, async () => {
      const workflows = [pauses(after)];
      await using hephaestus = new Hephaestus({ backend: memory(), workflows, logger: silent });

      const handle = await hephaestus.start(workflows[0]!, "a", undefined);

      const { status, error } = await handle.result();
      assertEquals([status, error?.code], ["failed", "INVALID_TIME"]);
      const sentence = `Cannot compute option "after" of timer "pause": ${why}`;
      assertEquals(error?.message.slice(0, sentence.length), sentence);
    });
  }

  it("may return a Date of its own, which is copied", async () => {
    const mine = new Date(Date.UTC(2026, 0, 2));
    const workflows = [pauses(() => mine)];
    const backend = memory({ clock: fakeClock(Date.UTC(2026, 0, 1)) });
    await using hephaestus = new Hephaestus({ backend, workflows, logger: silent });
    await hephaestus.start(workflows[0]!, "a", undefined);
    mine.setTime(0);

    assertEquals(backend.jobs()[0]?.scheduledAt, new Date(Date.UTC(2026, 0, 2)));
  });
});
