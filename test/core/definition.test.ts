import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { choice } from "../../src/core/define/choice.ts";
import { emitter } from "../../src/core/define/emit.ts";
import { WorkflowDefinitionError } from "../../src/core/errors/errors.ts";
import { signal, timer } from "../../src/core/define/signal.ts";
import { step } from "../../src/core/define/step.ts";
import { type } from "../../src/core/value/type.ts";

// As plain JavaScript sees them.
// deno-lint-ignore no-explicit-any
const [aStep, aChoice, aSignal, aTimer]: any[] = [step, choice, signal, timer];
const events = { ok: type() };
const run = () => undefined;

/** Each definition that is refused, with what the sentence must say. */
const refused: readonly [name: string, define: () => unknown, sentence: string][] = [
  ["a name with a space", () => aStep("a b", { events, run }), `step name "a b"`],
  ["a name of the engine", () => aStep("__failed__", { events, run }), `step name "__failed__"`],
  ["a name that is no text", () => aStep(7, { events, run }), "step name of type number"],
  ["a name of 64 letters", () => aStep("a".repeat(64), { events, run }), "at most 62"],
  ["a new name with a dot", () => aStep("a", { events, run }).as("a.b"), `step name "a.b"`],
  ["no options", () => aStep("a"), `step "a": its options are not an object`],
  ["no events", () => aStep("a", { run }), `option "events" is not an object`],
  ["an empty list of events", () => aStep("a", { events: {}, run }), "could never end"],
  [
    "an event without a type",
    () => aStep("a", { events: { ok: 1 }, run }),
    `event "ok" has no type`,
  ],
  ["a hidden event", () => aStep("a", { events: JSON.parse(`{"__proto__":1}`), run }), "__proto__"],
  ["no code", () => aStep("a", { events }), `option "run" is not a function`],
  ["a choice without code", () => aChoice("a", { events }), `option "decide" is not a function`],
  [
    "an input that is no type",
    () => aStep("a", { events, run, input: {} }),
    `"input" is not a type`,
  ],
  [
    "rounds that are no type",
    () => aStep("a", { events, run, rounds: 3 }),
    `"rounds" is not a type`,
  ],
  [
    "needs that are no list",
    () => aStep("a", { events, run, needs: 1 }),
    `"needs" is not an array`,
  ],
  ["a need of a step", () => aStep("a", { events, run, needs: [{}] }), `step.when("event")`],
  [
    "a need twice",
    () => {
      const b = aStep("b", { events, run });
      aStep("a", { events, run, needs: [b.when("ok"), b.outcome()] });
    },
    `"needs" lists "b" twice`,
  ],
  [
    "a need of an event that is not declared",
    () => aStep("a", { events, run }).when("okay"),
    `step "a" declares no event "okay"`,
  ],
  ["a choice that sees", () => aChoice("a", { events, decide: run, sees: [] }), `option "sees"`],
  [
    "a need of every round",
    () => aStep("a", { events, needs: [aStep("b", { events, run }).every("ok")], run }),
    `option "needs" does not accept step.every("event"): use option "sees"`,
  ],
  [
    "every round of an unknown event",
    () => aStep("b", { events, run }).every("no"),
    `Cannot refer to "b.no"`,
  ],
  ["a signal that sees", () => aSignal("a", { events, sees: [] }), `option "sees"`],
  ["an asynchronous signal", () => aSignal("a", { events, async: true }), `option "async"`],
  ["a signal with code", () => aSignal("a", { events, run }), `option "run"`],
  ["an unknown option", () => aStep("a", { events, run, retires: 1 }), `option "retires"`],
  ["async that is no boolean", () => aStep("a", { events, run, async: 1 }), `option "async"`],
  ["a limit without a wait", () => aStep("a", { events, run, expires: "1h" }), `option "expires"`],
  ["a limit of nothing", () => aSignal("a", { events, expires: 0 }), `option "expires"`],
  [
    "an event expired of a signal",
    () => aSignal("a", { events: { expired: type() } }),
    `event "expired" is declared by option "expires"`,
  ],
  [
    "an event later of an asynchronous step",
    () => aStep("a", { events: { later: type() }, run, async: true }),
    `event "later" is reserved for emit.later()`,
  ],
  ["a timer without a duration", () => aTimer("a"), `timer "a": cannot use duration of type undef`],
  ["a timer in weeks", () => aTimer("a", "3 weeks"), `cannot use duration "3 weeks"`],
  ["a timeout of nothing", () => aStep("a", { events, run, timeout: 0 }), `option "timeout"`],
  ["a timeout that is negative", () => aStep("a", { events, run, timeout: -1 }), "duration -1"],
  ["a priority of ten", () => aStep("a", { events, run, priority: 10 }), `option "priority"`],
  ["a priority of a half", () => aStep("a", { events, run, priority: 0.5 }), `option "priority"`],
  ["an empty queue", () => aStep("a", { events, run, queue: "" }), `option "queue"`],
  ["a queue of two lines", () => aStep("a", { events, run, queue: "a\nb" }), `option "queue"`],
  [
    "retry without attempts",
    () => aStep("a", { events, run, retry: { attempts: 0 } }),
    "0 attempts",
  ],
  ["an unknown backoff", () => aStep("a", { events, run, retry: { backoff: "x" } }), `backoff "x"`],
  ["an unknown retry option", () => aStep("a", { events, run, retry: { tries: 1 } }), `"tries"`],
];

describe("the definition of a step", () => {
  for (const [name, define, sentence] of refused) {
    it(`refuses ${name}`, () => {
      assertThrows(define, WorkflowDefinitionError, sentence);
    });
  }

  it("takes the words of the engine where they do not clash", () => {
    assertEquals(
      Object.keys(aStep("a", { events: { later: type(), expired: type() }, run }).events),
      [
        "later",
        "expired",
      ],
    );
  });

  it("keeps its options in the form that the workers read", () => {
    const { definition } = step("a", {
      events,
      run: ({ emit }) => emit.ok(),
      queue: "emails",
      priority: 0,
      timeout: "1m",
      retry: { attempts: 2 },
    });

    assertEquals(
      [definition.queue, definition.priority, definition.timeout, definition.retry],
      ["emails", 0, 60_000, { attempts: 2 }],
    );
  });
});

describe("step.as()", () => {
  it("gives the same code another name", () => {
    const origin = step("a", { events, run: ({ emit }) => emit.ok() });

    const other = origin.as("b");

    assertEquals([origin.name, other.name, other.definition.name], ["a", "b", "b"]);
    assertEquals(other.definition.run, origin.definition.run);
    assertEquals(other.when("ok").name, "b");
  });

  it("renames signals, timers and choices, with their deliveries", () => {
    assertEquals(signal("a", { events }).as("b").emit.ok().step, "b");
    assertEquals(timer("a", "1m").as("b").definition.after, 60_000);
    assertEquals(
      choice("a", { events, decide: ({ emit }) => emit.ok() }).as("b").definition.kind,
      "choice",
    );
  });
});

describe("emit", () => {
  const { definition } = step("a", {
    async: true,
    expires: "1h",
    events: { ok: type<number>(), no: type() },
    run: ({ emit }) => emit.later(),
  });
  // deno-lint-ignore no-explicit-any
  const emit: any = emitter(definition);

  it("has one method for each event that the code may emit, and no other member", () => {
    assertEquals(Object.keys(emit), ["ok", "no", "later"]);
    assertEquals(Object.getPrototypeOf(emit), null);
  });

  it("makes an outcome, with metadata only when there is some", () => {
    assertEquals(emit.ok(1), { event: "ok", output: 1 });
    assertEquals(emit.no(), { event: "no", output: undefined });
    assertEquals(emit.ok(1, { metadata: { a: 1 } }), {
      event: "ok",
      output: 1,
      metadata: { a: 1 },
    });
    assertEquals(emit.later(), { later: true });
  });

  it("makes deliveries outside, but never the end of a limit", () => {
    const approval = signal("approval", { events: { ok: type<number>() }, expires: "1h" });

    assertEquals(approval.emit.ok(1, { metadata: { by: "m" } }), {
      step: "approval",
      event: "ok",
      output: 1,
      metadata: { by: "m" },
    });
    assertEquals(Object.keys(approval.emit), ["ok"]);
  });
});
