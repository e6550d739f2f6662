import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { choice } from "../../../../src/core/define/choice.ts";
import { step } from "../../../../src/core/define/step.ts";
import { again, done, join } from "../../../../src/core/define/target.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";
import { type } from "../../../../src/core/value/type.ts";

// As plain JavaScript sees them: whatever the compiler refuses gets through.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, pick, begin, repeat]: Anything[] = [step, choice, workflow, again];

const one = (name: string): Anything =>
  define(name, { events: { ok: type(), no: type() }, run: () => undefined });
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });
const [a, b, c, d] = [one("a"), one("b"), one("c"), one("d")];
const end = { ok: done, no: done };

const refused: readonly [name: string, write: () => unknown, sentence: string][] = [
  ["of what is no step", () => repeat("a", { limit: 2 }), `Cannot repeat "a": it is not a step`],
  ["without a limit", () => repeat(a), `Cannot repeat "a": pass the limit`],
  ["of no round", () => repeat(a, { limit: 0 }), `option "limit" is not a whole number from 1`],
  ["of half a round", () => repeat(a, { limit: 1.5 }), `option "limit" is not a whole number`],
  ["of too many rounds", () => repeat(a, { limit: 1_000_001 }), `option "limit" is not a whole`],
  ["with an option that it lacks", () => repeat(a, { limit: 2, until: b }), `"until"`],
  [
    "beside another target",
    () => from(a).on(a, { ok: [again(a, { limit: 2 }), b], no: done }),
    `Cannot route event "a.ok" to again: again must be the only target`,
  ],
  [
    "that leads back up after its last round",
    () =>
      from(a).on(a, { ok: b, no: done }).on(b, { ok: again(b, { limit: 2, then: a }), no: done })
        .build(),
    `event "b.ok" leads to "a", which comes earlier`,
  ],
  [
    "that ends in another loop",
    () =>
      from(a).on(a, { ok: b, no: done }).on(b, {
        ok: repeat(b, { limit: 2, then: repeat(a, { limit: 2 }) }),
        no: done,
      }),
    `Cannot repeat "b": option "then" leads back again. Use one loop with the larger limit`,
  ],
  [
    "with an end that is not there",
    () => repeat(a, { limit: 2, then: undefined }),
    `Cannot repeat "a": option "then" is undefined: leave it out to fail the instance`,
  ],
  ["of a join", () => repeat(join(a), { limit: 2 }), `Cannot repeat join: it is not a step`],
  [
    "that is written by hand, without a limit",
    () => from(a).on(a, { ok: { kind: "again", step: a, limit: Infinity }, no: done }),
    `option "limit" is not a whole number from 1 to 1,000,000`,
  ],
  [
    "of choices only",
    () => {
      const picks = (name: string): Anything =>
        pick(name, { events: { ok: type(), no: type() }, decide: () => undefined });
      const [p, q] = [picks("p"), picks("q")];
      return from(p).on(p, { ok: q, no: a }).on(q, { ok: a, no: again(p, { limit: 9 }) })
        .on(a, end).build();
    },
    `event "q.no" leads back to "p", but only choices lie between them: each round would decide the same`,
  ],
  [
    "to a step that comes later",
    () => from(a).on(a, { ok: again(b, { limit: 2 }), no: b }).on(b, end).build(),
    `event "a.ok" leads back to "b", which does not come earlier`,
  ],
  [
    "to another step of the same name",
    () => from(a).on(a, { ok: again(one("a"), { limit: 2 }), no: done }).build(),
    `two different steps are named "a"`,
  ],
  [
    "to a step that has not ended on every path",
    () =>
      from(a).on(a, { ok: b, no: c }).on(b, { ok: c, no: done })
        .on(c, { ok: again(b, { limit: 2 }), no: done }).build(),
    `event "c.ok" leads back to "b", which has not ended on every path to it`,
  ],
  [
    "that has another way in",
    () =>
      from(a).on(a, { ok: [b, c], no: done }).on(b, { ok: join(d), no: done })
        .on(c, { ok: join(d), no: done }).on(d, { ok: again(b, { limit: 2 }), no: done }).build(),
    `event "d.ok" leads back to "b", but "c" leads into this loop at "d" from outside`,
  ],
  [
    "beside a branch that may be active",
    () =>
      from(a).on(a, { ok: [b, c], no: done }).on(b, end)
        .on(c, { ok: again(a, { limit: 2 }), no: done }).build(),
    `event "c.ok" leads back to "a" while "b" may be active`,
  ],
  [
    "beside a join that may wait",
    () =>
      from(a).on(a, { ok: [b, c], no: done }).on(b, { ok: join(d), no: done })
        .on(c, { ok: join(d), no: again(a, { limit: 2 }) }).on(d, end).build(),
    `event "c.no" leads back to "a" while "b" may be active`,
  ],
];

describe("a loop", () => {
  for (const [name, write, sentence] of refused) {
    it(`is refused ${name}`, () => {
      assertStringIncludes(assertThrows(write, WorkflowDefinitionError).message, sentence);
    });
  }

  it("has the steps between its first and the rows that lead back as its body", () => {
    const { graph, toMermaid } = from(a)
      .on(a, { ok: [b, c], no: d })
      .on(b, { ok: join(d), no: join(d) })
      .on(c, { ok: join(d), no: again(c, { limit: 3, then: join(d) }) })
      .on(d, { ok: again(a, { limit: 5, then: done }), no: again(a, { limit: 2 }) })
      .build();

    assertEquals([...graph.body("a")], ["a", "b", "c", "d"]);
    assertEquals([...graph.body("c")], ["c"]);
    assertEquals([...graph.body("b")], []);
    assertEquals(graph.loopsAround("c"), ["c", "a"]);
    assertEquals(graph.loopsAround("d"), ["a"]);
    const drawn: string = toMermaid();
    assertStringIncludes(drawn, `s3 -->|"ok, limit 5"| s0`);
    assertStringIncludes(drawn, `s3 -->|"ok"| done`);
    assertStringIncludes(drawn, `s3 -->|"no, limit 2"| s0`);
    assertEquals(drawn.includes(`s3 -->|"no"|`), false);
  });

  it("is accepted where what a round has started excludes each other", () => {
    from(a).on(a, { ok: b, no: c }).on(b, { ok: d, no: d }).on(c, { ok: d, no: d })
      .on(d, { ok: again(a, { limit: 2 }), no: done }).build();
  });

  it("is accepted where both ways out of it meet, whatever comes after", () => {
    from(a).on(a, { ok: c, no: b }).on(b, { ok: again(a, { limit: 2, then: c }), no: done })
      .on(c, { ok: d, no: done }).on(d, end).build();
  });

  it("is accepted where a branch from outside joins behind it", () => {
    from(a).on(a, { ok: [b, c], no: done })
      .on(b, { ok: again(b, { limit: 3, then: join(d) }), no: join(d) })
      .on(c, { ok: join(d), no: join(d) }).on(d, end).build();
  });
});
