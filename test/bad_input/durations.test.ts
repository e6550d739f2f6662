import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  done,
  type Duration,
  Hephaestus,
  RetryLaterError,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";
import { fakeClock, memory } from "../../src/testing/mod.ts";

const seven = 7 as unknown as Duration;
const events = { ok: type() };
const run = ({ emit }: { emit: { ok(): { event: "ok"; output: undefined } } }) => emit.ok();
const approval = signal("approval", { events });
const flow = workflow("flow", { key: "id", input: type(), start: approval })
  .on(approval, { ok: done })
  .build();

function engine(): Hephaestus {
  return new Hephaestus({ backend: memory(), workflows: [flow] });
}

/** Everybody who takes a duration, with the name by which an error tells what it is for. */
const takers: Readonly<Record<string, (duration: Duration) => unknown>> = {
  'timer "pause"': (after) => timer("pause", after),
  'option "expires"': (expires) => signal("wait", { events, expires }),
  'step "late"': (expires) => step("late", { events, async: true, expires, run }),
  'option "deadline"': (deadline) => step("slow", { events, deadline, run }),
  'as option "deadline"': (deadline) =>
    workflow("late", { key: "id", input: type(), start: approval, deadline }),
  'option "timeout"': (timeout) => step("slow", { events, timeout, run }),
  'option "base"': (base) => step("again", { events, retry: { base }, run }),
  'option "max"': (max) =>
    workflow("again", { key: "id", input: type(), start: approval, retry: { max } }),
  'as option "max"': (max) => new Hephaestus({ workflows: [], retry: { max } }),
  'option "statementTimeout"': (statementTimeout) =>
    new Hephaestus({ url: "postgres://localhost/none", workflows: [], statementTimeout }),
  'option "grace"': (grace) => engine().work({ grace }),
  'option "poll"': (poll) => engine().work({ poll }),
  'option "heartbeat"': (heartbeat) => engine().work({ heartbeat }),
  'option "lease"': (lease) => engine().work({ lease }),
  'option "keepJobs"': (keepJobs) => engine().work({ keepJobs }),
  'option "after"': (after) => new RetryLaterError({ after }),
  "duration 7": (duration) => fakeClock().advance(duration),
};

describe("a duration that is a number", () => {
  for (const [named, take] of Object.entries(takers)) {
    it(`is refused with a sentence that names ${named}`, () => {
      const { message } = assertThrows(() => take(seven), Error);
      assertStringIncludes(message, named);
      assertStringIncludes(message, `a number has no unit. Use a string such as "7s" or "7d"`);
    });
  }

  it("is refused for a delivery that is scheduled, and nothing is scheduled", async () => {
    await using hephaestus = engine();
    await hephaestus.start(flow, "a", undefined);

    await assertRejects(
      () => hephaestus.scheduleResume(flow, "a", approval.emit.ok(), { after: seven }),
      TypeError,
      `Cannot use duration 7 as option "after": a number has no unit`,
    );
  });

  it("is refused for the grace of a stop, and the worker goes on", async () => {
    await using hephaestus = engine();
    await using worker = hephaestus.work();
    await worker.ready;

    await assertRejects(() => worker.stop({ grace: seven }), TypeError, `option "grace"`);
    await hephaestus.start(flow, "a", undefined);
    await hephaestus.resume(flow, "a", approval.emit.ok());
    await (await hephaestus.handle(flow, "a"))?.result();
  });
});

describe("a duration in weeks", () => {
  it("is understood by a timer and by a wait with a limit", () => {
    const week = 604_800_000;
    const pause = timer("pause", "1w").definition.after;
    const wait = signal("wait", { events, expires: "2w" }).definition.expires;

    assertEquals([pause, wait], [week, 2 * week]);
  });
});
