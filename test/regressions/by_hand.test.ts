import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import {
  again,
  done,
  FatalError,
  Hephaestus,
  signal,
  step,
  type Type,
  type,
  undo,
  workflow,
} from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { silent } from "../everywhere.ts";

const broken = new Set<string>();
const keys: string[] = [];
const booked: string[] = [];
const flight = step("flight", {
  events: { booked: type<string>() },
  run: ({ activation, emit }) => emit.booked(`seat ${activation}`),
  undo: {
    booked({ output, idempotencyKey }) {
      keys.push(idempotencyKey.split("/").slice(1).join("/"));
      if (broken.has("refund")) throw new FatalError("The airline does not answer");
      booked.push(`free ${output}`);
    },
  },
  undoRetry: { attempts: 1 },
});
const hotel = step("hotel", {
  events: { booked: type(), none: type() },
  run({ emit }) {
    if (broken.has("hotel")) throw new FatalError("The hotel does not answer");
    return emit.none();
  },
});
const trip = workflow("trip", { key: "id", input: type(), start: flight, undoOn: ["failed"] })
  .on(flight, { booked: hotel })
  .on(hotel, { booked: done, none: undo })
  .build();

async function engine(workflows: ConstructorParameters<typeof Hephaestus>[0]["workflows"]) {
  broken.clear();
  keys.length = 0;
  booked.length = 0;
  const hephaestus = new Hephaestus({ backend: memory(), workflows, logger: silent });
  await hephaestus.work().ready;
  return hephaestus;
}

describe("a retry of an instance whose undoing has failed", () => {
  for (const [why, status] of [["refund", "undone"], ["refund hotel", "failed"]] as const) {
    it(`goes on with the undo, with the same key, and ends as ${status}`, async () => {
      await using hephaestus = await engine([trip]);
      for (const name of why.split(" ")) broken.add(name);
      const end = await (await hephaestus.start(trip, "a", undefined)).result();
      assertEquals([end.status, end.error?.code], ["failed", "UNDO_FAILED"]);

      await hephaestus.retry(trip, "a", { by: "maria" });
      assertEquals((await (await hephaestus.handle(trip, "a"))?.result())?.status, "failed");
      broken.clear();
      await hephaestus.retry(trip, "a", { by: "maria" });
      const last = await (await hephaestus.handle(trip, "a"))!.result();

      const message = status === "failed" ? "The hotel does not answer" : undefined;
      assertEquals([last.status, last.error?.message], [status, message]);
      assertEquals([keys, booked], [Array(3).fill("~flight/1"), ["free seat 1"]]);
      const history = await hephaestus.history(trip, "a");
      const undos = history.filter(({ step }) => step.includes("~"));
      assertEquals(undos.map(({ step, event }) => `${step} ${event}`), [
        "~flight __failed__",
        "~~flight __failed__",
        "~~~flight undone",
      ]);
      const refused = await assertRejects(() => hephaestus.retry(trip, "a"), Error);
      assertEquals((refused as { code?: string }).code, "NOT_RETRYABLE");
    });
  }

  it("undoes what was rewound as well, the last one first", async () => {
    const booking = workflow("booking", { key: "id", input: type(), start: flight })
      .on(flight, { booked: hotel })
      .on(hotel, { booked: done, none: undo })
      .build();
    await using other = await engine([booking]);
    broken.add("hotel");
    await (await other.start(booking, "a", undefined)).result();
    broken.clear();

    await other.rewind(booking, "a", { to: flight });

    assertEquals((await (await other.handle(booking, "a"))?.result())?.status, "undone");
    assertEquals(booked, ["free seat 2", "free seat 1"]);
    assertEquals(keys, ["~flight/2", "~flight/1"]);
  });
});

describe("a rewind in a loop", () => {
  const ask = step("ask", {
    rounds: type<string>(),
    events: { answer: type<string>() },
    run: ({ rounds, activation, emit }) => emit.answer(`${activation}:${rounds.join()}`),
  });
  const use = step("use", {
    needs: [ask.when("answer")],
    events: { used: type<string>() },
    run: ({ steps, emit }) => emit.used(steps.ask.split(":")[0]!),
  });
  const stop = signal("stop", { events: { ok: type() } });
  const asking = workflow("asking", { key: "id", input: type(), start: ask })
    .on(ask, { answer: use })
    .on(use, { used: again(ask, { limit: 4, then: stop }) })
    .on(stop, { ok: done })
    .build();

  it("brings back what has stayed, and counts the rounds that have", async () => {
    await using hephaestus = await engine([asking]);
    await hephaestus.start(asking, "a", undefined);
    const stopped = async () => {
      while (!(await hephaestus.get(asking, "a"))?.active.includes("stop")) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await stopped();

    await hephaestus.rewind(asking, "a", { to: ask, activation: 3 });
    await stopped();

    const history = await hephaestus.history(asking, "a");
    const asked = history.filter(({ step }) => step === "ask").map(({ output }) => output);
    assertEquals(asked, ["1:", "2:1", "3:1,2", "4:1,2,3", "5:1,2", "6:1,2,5"]);
  });
});

describe("a rewind or a fork that makes no sense", () => {
  const whole: Type<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        Number.isInteger(value)
          ? { value: value as number }
          : { issues: [{ message: "not a whole number" }] },
    },
  };
  const call = step("call", {
    events: { ok: whole, bad: type() },
    run: ({ emit }) => emit.ok(1),
  });
  const review = signal("review", { events: { yes: type(), no: type() } });
  const send = step("send", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const checked = workflow("checked", { key: "id", input: type(), start: call })
    .on(call, { ok: review, bad: done })
    .on(review, { yes: send, no: again(call, { limit: 2, then: send }) })
    .on(send, { ok: done })
    .build();

  it("is refused with a sentence, and changes nothing", async () => {
    await using hephaestus = await engine([checked, trip]);
    await hephaestus.start(checked, "a", undefined);
    await hephaestus.start(checked, "b", undefined);
    const waits = async (key: string) => {
      while (!(await hephaestus.get(checked, key))?.active.includes("review")) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await waits("a");
    await waits("b");
    const before = await hephaestus.get(checked, "a");
    const other = step("other", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
    const to = (options: object) => hephaestus.rewind(checked, "a", options as never);
    const mistakes: [object, string][] = [
      [{ to: other }, 'Cannot rewind workflow "checked": it has no step "other"'],
      [{ to: "call" }, "expected a step of it, as it is in its rows"],
      [{}, "expected a step of it, as it is in its rows"],
      [{ to: send }, 'Cannot rewind checked "id::a": step "send" has not started in it'],
      [{ to: call, activation: 2 }, '"call#2" has not started in it'],
      [{ to: call, activation: 0 }, "activation 0 is not a whole number from 1"],
      [{ to: call, outcome: { event: "gone" } }, 'step "call" declares no event "gone"'],
      [{ to: call, outcome: { event: "failed" } }, 'step "call" declares no event "failed"'],
      [{ to: call, outcome: { event: "ok", output: "1" } }, "Cannot rewind with output of event"],
      [{ to: call, by: 7 }, "Cannot rewind: the option by is not a string"],
      [{ to: call, input: 7 }, 'Cannot rewind: there is no option "input"'],
    ];
    for (const [options, sentence] of mistakes) {
      await assertRejects(() => to(options), Error, sentence);
    }
    assertEquals(await hephaestus.get(checked, "a"), before);

    await to({ to: call, activation: 1 });
    const twice = await assertRejects(() => to({ to: call, activation: 1 }), Error);
    assertEquals((twice as { code?: string }).code, "NOT_REWINDABLE");
    assertEquals((await hephaestus.get(checked, "b"))?.revision, before?.revision);
    await waits("a");
    const forked = (options: object) => hephaestus.fork(checked, "a", options as never);
    await assertRejects(
      () => forked({ from: call, key: "b" }),
      Error,
      'Cannot fork checked "id::a": key "id::b" is taken by instance',
    );
    await assertRejects(() => forked({ from: send, key: "c" }), Error, "has not started in it");
    assertEquals(await hephaestus.get(checked, "c"), undefined);
    await hephaestus.resume(checked, "a", review.emit.yes());
    await (await hephaestus.handle(checked, "a"))?.result();
    await assertRejects(
      () => to({ to: call }),
      Error,
      "instance is completed, and only an instance that is open or has failed can be rewound",
    );
    await (await hephaestus.start(trip, "a", undefined)).result();
    await assertRejects(
      () => hephaestus.fork(trip, "a", { from: flight, key: "b" }),
      Error,
      "it undoes or has undone what its steps had done",
    );
    await assertRejects(() => hephaestus.rewind(trip, "a", { to: flight }), Error, "undone");
  });
});

const paid = workflow("paid", { key: "id", input: type(), start: hotel })
  .on(hotel, { booked: done, none: done })
  .build();

describe("a rewind with an outcome", () => {
  it("stands in the history before that outcome", async () => {
    await using hephaestus = await engine([paid]);
    broken.add("hotel");
    await (await hephaestus.start(paid, "a", undefined)).result();
    await hephaestus.rewind(paid, "a", {
      to: hotel,
      outcome: { event: "booked", output: undefined },
    });

    const history = await hephaestus.history(paid, "a");
    assertEquals(history.map(({ step, event }) => `${step} ${event}`), [
      "hotel __failed__",
      "^hotel __rewound__",
      "hotel booked",
    ]);
  });
});
