import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { choice } from "../../../src/core/define/choice.ts";
import { InvalidValueError, WorkflowDefinitionError } from "../../../src/core/errors/errors.ts";
import { signal } from "../../../src/core/define/signal.ts";
import { step } from "../../../src/core/define/step.ts";
import { done, first, join } from "../../../src/core/define/target.ts";
import { type } from "../../../src/core/value/type.ts";
import { workflow } from "../../../src/core/graph/builder.ts";

// As plain JavaScript sees them: whatever the compiler refuses gets through.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, begin, joined, firstOf]: Anything[] = [step, workflow, join, first];

const one = (name: string, options: object = {}): Anything =>
  define(name, { events: { ok: type() }, run: () => undefined, ...options });
const two = (name: string, options: object = {}): Anything =>
  one(name, { events: { ok: type(), no: type() }, ...options });

const [a, b, c, d, e] = [two("a"), two("b"), two("c"), one("d"), one("e")];
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });
/** `a` forks into `b` and `c`. */
const fork = (): Anything => from(a).on(a, { ok: [b, c], no: done });

const refused: readonly [name: string, write: () => unknown, sentence: string][] = [
  [
    "an event without a transition",
    () => from(a).on(a, { ok: b }),
    `event "a.no" has no target: use done to end the path`,
  ],
  [
    "a transition without an event",
    () => from(a).on(a, { ok: b, no: b, oh: b }),
    `step "a" never emits "oh"`,
  ],
  [
    "a target that is undefined",
    () => from(a).on(a, { ok: undefined, no: b }),
    "to undefined: it is",
  ],
  [
    "a target that is a text",
    () => from(a).on(a, { ok: "b", no: b }),
    `event "a.ok" to "b": it is`,
  ],
  [
    "a target that is an object",
    () => from(a).on(a, { ok: { name: "b" }, no: b }),
    "is not a step",
  ],
  ["done among several targets", () => from(a).on(a, { ok: [b, done], no: b }), "done ends a path"],
  ["an empty list of targets", () => from(a).on(a, { ok: [], no: b }), "to an empty list"],
  ["a target twice", () => from(a).on(a, { ok: [b, b], no: b }), `"a.ok" leads to "b" twice`],
  ["a join of a text", () => joined("b"), `Cannot join "b": it is not a step`],
  ["a first of nothing", () => firstOf(undefined), "Cannot first undefined: it is not a step"],
  ["a row that is no step", () => from(a).on("a", {}), "a row does not begin with a step"],
  [
    "a row without transitions",
    () => from(a).on(a),
    `the transitions of step "a" are not an object`,
  ],
  ["no row at all", () => from(a).build(), `"a" has no transitions: add .on(a, ...)`],
  [
    "a step without a row",
    () => from(d).on(d, { ok: e }).build(),
    `"e" has no transitions: add .on(e, ...)`,
  ],
  [
    "a row before its step is a target",
    () => from(d).on(d, { ok: done }).on(e, { ok: done }).build(),
    `step "e" is not the target of any transition above`,
  ],
  [
    "a row twice",
    () => from(d).on(d, { ok: done }).on(d, { ok: done }).build(),
    `step "d" already has its transitions`,
  ],
  [
    "a transition back up",
    () => from(d).on(d, { ok: e }).on(e, { ok: d }).build(),
    `event "e.ok" leads to "d", which comes earlier: use again(...) to go back to it`,
  ],
  [
    "a transition to itself",
    () => from(d).on(d, { ok: d }).build(),
    `event "d.ok" leads to "d", which comes earlier: use again(...) to go back to it`,
  ],
  [
    "two different steps with one name",
    () => from(d).on(d, { ok: one("e") }).on(one("e"), { ok: done }).build(),
    `two different steps are named "e"`,
  ],
  [
    "two arrivals in one run",
    () => fork().on(b, { ok: d, no: done }).on(c, { ok: d, no: done }).on(d, { ok: done }).build(),
    `step "d" can be started by "b.ok" and by "c.ok" in one run. Use join to wait for all`,
  ],
  [
    "a plain arrival beside a first one",
    () =>
      fork().on(b, { ok: first(d), no: done }).on(c, { ok: d, no: done }).on(d, { ok: done })
        .build(),
    `step "d" can be started by "b.ok" and by "c.ok" in one run`,
  ],
  [
    "a join beside another arrival in one run",
    () =>
      from(a).on(a, { ok: [b, c, e], no: done }).on(b, { ok: join(d), no: done })
        .on(c, { ok: join(d), no: done }).on(e, { ok: d }).on(d, { ok: done }).build(),
    `step "d" can be started by "e.ok" and by its join in one run`,
  ],
  [
    "a join of one",
    () => from(d).on(d, { ok: join(e) }).on(e, { ok: done }).build(),
    `only "d" joins step "e". A join needs at least two`,
  ],
  [
    "a join that can never start",
    () =>
      from(a).on(a, { ok: b, no: c }).on(b, { ok: join(d), no: done })
        .on(c, { ok: join(d), no: done }).on(d, { ok: done }).build(),
    `the join at step "d" can never start: no run reaches it from "b" and "c"`,
  ],
  [
    "a need that one of two ways does not bring",
    () => {
      const reads = one("reads", { needs: [b.when("ok")] });
      return from(a).on(a, { ok: b, no: reads }).on(b, { ok: reads, no: done })
        .on(reads, { ok: done }).build();
    },
    `step "reads" needs "b.ok", which is not guaranteed on every path that reaches it`,
  ],
  [
    "a need of the wrong event",
    () => {
      const reads = one("reads", { needs: [a.when("ok")] });
      return from(a).on(a, { ok: done, no: reads }).on(reads, { ok: done }).build();
    },
    `step "reads" needs "a.ok", which is not guaranteed on every path that reaches it`,
  ],
  [
    "a need of a parallel step",
    () => {
      const reads = one("reads", { needs: [d.outcome()] });
      return from(a).on(a, { ok: [d, reads], no: done }).on(d, { ok: done })
        .on(reads, { ok: done }).build();
    },
    `step "reads" needs "d.*", which is not guaranteed on every path that reaches it`,
  ],
  [
    "a need of a step that is not in the workflow",
    () => {
      const reads = one("reads", { needs: [e.when("ok")] });
      return from(reads).on(reads, { ok: done }).build();
    },
    `step "reads" needs "e.ok", but "e" is not a step of this workflow`,
  ],
  [
    "a need of an event that only another step of that name has",
    () => {
      const reads = one("reads", { needs: [two("d").when("no")] });
      return from(d).on(d, { ok: reads }).on(reads, { ok: done }).build();
    },
    `step "reads" needs "d.no", but "d" never emits "no"`,
  ],
  [
    "a look at a step that does not precede",
    () => {
      const peeks = one("peeks", { sees: [d.when("ok")] });
      return from(a).on(a, { ok: [d, peeks], no: done }).on(d, { ok: done })
        .on(peeks, { ok: done }).build();
    },
    `step "peeks" sees "d.ok", but no path leads from "d" to it`,
  ],
  ["a name with a colon", () => begin("a:b", {}), `workflow name "a:b"`],
  ["no options", () => begin("w"), "its options are not an object"],
  ["an option that does not exist", () => begin("w", { keys: "id" }), `there is no option "keys"`],
  ["no key", () => begin("w", { input: type(), start: a }), "key name of type undefined"],
  ["no input", () => begin("w", { key: "id", start: a }), `option "input" is not a type`],
  ["no start", () => begin("w", { key: "id", input: type() }), `option "start" is not a step`],
  ...([
    [{ scope: "all" }, `scope "all" is unknown`],
    [{ version: 0 }, "version 0 is not a positive whole number"],
    [{ version: 1.5 }, "version 1.5 is not a positive whole number"],
    [{ tags: ["a", 1] }, `option "tags" is not an array of strings`],
    [{ metadata: [] }, `option "metadata" is not an object`],
    [{ retry: { attempts: 1.5 } }, "cannot retry with 1.5 attempts"],
    [{ retry: { max: "x" } }, `cannot use duration "x"`],
  ] as const).map(([option, sentence]): [string, () => unknown, string] => [
    `option ${JSON.stringify(option)}`,
    () => begin("w", { key: "id", input: type(), start: a, ...option }),
    sentence,
  ]),
];

describe("the definition of a workflow", () => {
  for (const [name, write, sentence] of refused) {
    it(`refuses ${name}`, () => {
      assertThrows(write, WorkflowDefinitionError, sentence);
    });
  }

  it("refuses metadata that JSON cannot represent", () => {
    assertThrows(
      () => begin("w", { key: "id", input: type(), start: a, metadata: { at: new Date(0) } }),
      InvalidValueError,
      "metadata",
    );
  });

  it("keeps what it was told, and the defaults", () => {
    const plain = from(d).on(d, { ok: done }).build();
    const told = begin("told", {
      ...{ key: "id", input: type(), start: d, scope: "none", version: 3 },
      ...{ tags: ["t"], metadata: { team: "a" }, retry: { attempts: 1 } },
    }).on(d, { ok: done }).build();

    assertEquals([plain.scope, plain.version, plain.tags, plain.metadata, plain.retry], [
      ...["workflow", 1, [], {}, undefined],
    ]);
    assertEquals([told.scope, told.version, told.tags, told.metadata, told.retry], [
      ...["none", 3, ["t"], { team: "a" }, { attempts: 1 }],
    ]);
    assertStrictEquals(plain.steps.get("d"), d.definition);
  });

  it("does not change a builder, so that two workflows can begin alike", () => {
    const begun = from(a).on(a, { ok: d, no: done });

    const short = begun.on(d, { ok: done }).build();
    const long = begun.on(d, { ok: e }).on(e, { ok: done }).build();

    assertEquals([[...short.steps.keys()], [...long.steps.keys()]], [["a", "d"], ["a", "d", "e"]]);
  });

  it("accepts alternatives that meet again, and what is certain behind them", () => {
    const reads = one("reads", { needs: [a.outcome()], sees: [b.when("ok"), d.outcome()] });

    const built = from(a).on(a, { ok: b, no: d }).on(b, { ok: reads, no: reads })
      .on(d, { ok: reads }).on(reads, { ok: done }).build();

    assertEquals(built.graph.steps.get("reads").needs, ["a"]);
  });

  it("accepts a join whose sources end in several ways, beside a way around it", () => {
    const settle = one("settle", { needs: [b.outcome(), c.outcome()] });

    const built = fork().on(b, { ok: join(settle), no: join(settle) })
      .on(c, { ok: join(settle), no: done }).on(settle, { ok: done }).build();

    assertEquals(built.graph.sources("settle"), ["b", "c"]);
  });
});

describe("a workflow", () => {
  it("knows which steps another step reads", () => {
    const pick = choice("pick", {
      needs: [a.outcome()],
      events: { ok: type() },
      decide: ({ emit }) => emit.ok(),
    });
    const { graph } = from(a).on(a, { ok: pick, no: pick }).on(pick, { ok: done }).build();

    assertEquals([graph.isRead("a"), graph.isRead("pick"), graph.isRead("nobody")], [
      ...[true, false, false],
    ]);
  });

  it("draws itself, with the kinds of its steps and of its arrivals", () => {
    const call = signal("call", { events: { ok: type(), no: type() } });
    const drawn = fork().on(b, { ok: join(d), no: first(e) }).on(c, { ok: join(d), no: call })
      .on(call, { ok: first(e), no: done }).on(d, { ok: done }).on(e, { ok: done }).build();

    assertEquals(
      drawn.toMermaid(),
      `flowchart TD
  s0["a"]
  s1["b"]
  s2["c"]
  s3[/"call"/]
  s4["d"]
  s5["e"]
  s0 -->|"ok"| s1
  s0 -->|"ok"| s2
  s0 -->|"no"| done
  s1 ==>|"ok"| s4
  s1 -.->|"no"| s5
  s2 ==>|"ok"| s4
  s2 -->|"no"| s3
  s3 -.->|"ok"| s5
  s3 -->|"no"| done
  s4 -->|"ok"| done
  s5 -->|"ok"| done
  done((("done")))
`,
    );
  });
});
