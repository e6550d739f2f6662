import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { step } from "../../../../src/core/define/step.ts";
import { again, done, drop, first, join } from "../../../../src/core/define/target.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";
import { type } from "../../../../src/core/value/type.ts";

// As plain JavaScript sees them: whatever the compiler refuses gets through.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, begin, withdraw]: Anything[] = [step, workflow, drop];

const one = (name: string): Anything =>
  define(name, { events: { ok: type(), no: type() }, run: () => undefined });
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });
const [a, b, c, d, e] = [one("a"), one("b"), one("c"), one("d"), one("e")];
const end = { ok: done, no: done };
const forked = (): Anything => from(a).on(a, { ok: [b, c], no: done });

const refused: readonly [name: string, write: () => unknown, sentence: string][] = [
  ["of what is no step", () => withdraw("a"), `Cannot drop "a": it is not a step`],
  [
    "alone",
    () => from(a).on(a, { ok: drop(b), no: done }),
    `Cannot route event "a.ok" to drop: drop stands beside a target`,
  ],
  [
    "alone in a list",
    () => from(a).on(a, { ok: [drop(b)], no: done }),
    `Cannot route event "a.ok" to drop alone: write [done, drop(...)] to end the path`,
  ],
  [
    "beside done and a target",
    () => forked().on(b, { ok: [done, d, drop(c)], no: done }),
    `done ends a path, and only drop may stand beside it`,
  ],
  [
    "twice",
    () => forked().on(b, { ok: [done, drop(c), drop(c)], no: done }),
    `event "b.ok" drops "c" twice`,
  ],
  [
    "of a step that the event leads to",
    () => from(a).on(a, { ok: [b, drop(b)], no: done }),
    `event "a.ok" drops "b" and leads to it`,
  ],
  [
    "of a step that no row above leads to",
    () => from(a).on(a, { ok: [done, drop(c)], no: b }).on(b, end).build(),
    `event "a.ok" drops "c", which is not the target of any transition above`,
  ],
  [
    "of a step that only another event of the row leads to",
    () => from(a).on(a, { ok: [done, drop(b)], no: b }).on(b, end).build(),
    `event "a.ok" drops "b", which is not the target of any transition above`,
  ],
  [
    "of another step of the same name",
    () => forked().on(b, { ok: [done, drop(one("c"))], no: done }).on(c, end).build(),
    `two different steps are named "c"`,
  ],
  [
    "of the step itself",
    () => forked().on(b, { ok: [done, drop(b)], no: done }).on(c, end).build(),
    `event "b.ok" drops "b", which it comes from`,
  ],
  [
    "of a step that it comes from",
    () =>
      from(a).on(a, { ok: b, no: done }).on(b, { ok: c, no: done })
        .on(c, { ok: [d, drop(b)], no: done }).on(d, end).build(),
    `event "c.ok" drops "b", which it comes from`,
  ],
  [
    "of a step that may start later",
    () =>
      forked().on(b, { ok: d, no: done }).on(c, { ok: [done, drop(d)], no: done }).on(d, end)
        .build(),
    `event "c.ok" drops "d", which has not started on every path to it`,
  ],
  [
    "of a step that cannot have started",
    () =>
      from(a).on(a, { ok: b, no: c }).on(b, { ok: [done, drop(c)], no: done }).on(c, end).build(),
    `event "b.ok" drops "c", which cannot have started before`,
  ],
  [
    "of a branch that a join may wait for",
    () =>
      from(a).on(a, { ok: [b, c, d], no: done }).on(b, { ok: join(e), no: done })
        .on(c, { ok: join(e), no: done }).on(d, { ok: [done, drop(c)], no: done }).on(e, end)
        .build(),
    `event "d.ok" drops "c", but the join at "e" may wait for "c"`,
  ],
  [
    "in a loop, of a branch that a join may wait for in a later round",
    () =>
      from(a).on(a, { ok: [b, d], no: done }).on(b, { ok: [c, drop(d)], no: join(e) })
        .on(c, { ok: again(b, { limit: 3, then: done }), no: done }).on(d, {
          ok: join(e),
          no: done,
        })
        .on(e, end).build(),
    `event "b.ok" drops "d", but the join at "e" may wait for "d"`,
  ],
  [
    "of a branch that may start another step first",
    () =>
      forked().on(b, { ok: [d, drop(c)], no: first(e) }).on(c, { ok: first(e), no: done })
        .on(d, { ok: first(e), no: done }).on(e, end).build(),
    `event "b.ok" drops "c", but "c" may lead to "e": whether "e" starts would depend on which`,
  ],
  [
    "alone, after the last round of a loop",
    () => forked().on(b, { ok: again(b, { limit: 2, then: withdraw(c) as Anything }) }),
    `Cannot repeat "b": option "then" drops a branch. Let it lead to a choice that drops the branch`,
  ],
  [
    "after the last round of a loop",
    () => forked().on(b, { ok: again(b, { limit: 2, then: [done, withdraw(c)] as Anything }) }),
    `Cannot repeat "b": option "then" drops a branch. Let it lead to a choice that drops the branch`,
  ],
];

describe("a branch that is dropped", () => {
  for (const [name, write, sentence] of refused) {
    it(`is refused ${name}`, () => {
      assertStringIncludes(assertThrows(write, WorkflowDefinitionError).message, sentence);
    });
  }

  it("holds what only its first step leads to", () => {
    const { graph, toMermaid } = forked()
      .on(b, { ok: [d, drop(c)], no: first(e) })
      .on(c, end)
      .on(e, end)
      .on(d, end)
      .build();

    assertEquals([...graph.branch("c")], ["c"]);
    assertEquals([...graph.branch("b")], ["b", "e", "d"]);
    assertEquals([...graph.branch("a")], ["a", "b", "c", "e", "d"]);
    assertStringIncludes(toMermaid(), `s1 --x|"ok"| s2`);
  });

  it("is accepted where a join outside cannot start any more", () => {
    forked().on(b, { ok: join(d), no: [e, drop(c)] }).on(c, { ok: join(d), no: done })
      .on(d, end).on(e, end).build();
  });

  it("is accepted in a loop where only its last round drops, beside a join that then has no way", () => {
    from(a).on(a, { ok: [b, d], no: done }).on(b, { ok: c, no: [done, drop(d)] })
      .on(c, { ok: again(b, { limit: 3, then: done }), no: join(e) })
      .on(d, { ok: join(e), no: done }).on(e, end).build();
  });

  it("is accepted where it leads to what the event leads to as well", () => {
    forked().on(b, { ok: [first(e), drop(c)], no: done }).on(c, { ok: first(e), no: done })
      .on(e, end).build();
  });

  it("excludes the branch that drops it: both may lead plainly to one step", () => {
    forked().on(b, { ok: [d, drop(c)], no: [e, drop(c)] })
      .on(c, { ok: [d, drop(b)], no: [e, drop(b)] }).on(d, end).on(e, end).build();
    const build = () =>
      forked().on(b, { ok: [d, drop(c)], no: e }).on(c, { ok: [d, drop(b)], no: [e, drop(b)] })
        .on(d, end).on(e, end).build();
    assertThrows(build, WorkflowDefinitionError, `"e" can be started by "b.no" and by "c.no"`);
  });

  it("lets a loop lead back that has dropped what was active", () => {
    forked().on(b, { ok: [d, drop(c)], no: done }).on(c, end)
      .on(d, { ok: again(a, { limit: 2 }), no: done }).build();
  });
});
