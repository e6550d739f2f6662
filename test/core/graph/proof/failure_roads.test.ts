import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { choice } from "../../../../src/core/define/choice.ts";
import { step } from "../../../../src/core/define/step.ts";
import { done } from "../../../../src/core/define/target.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";
import { type } from "../../../../src/core/value/type.ts";

// As plain JavaScript sees them: whatever the compiler refuses gets through.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, choose, begin]: Anything[] = [step, choice, workflow];

const one = (name: string, options: object = {}): Anything =>
  define(name, { events: { ok: type() }, run: () => undefined, ...options });
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });
const [a, b] = [one("a"), one("b")];

const refused: readonly [name: string, write: () => unknown, sentence: string][] = [
  [
    "an event that the engine emits",
    () => one("x", { events: { ok: type(), failed: type() } }),
    `Cannot define step "x": event "failed" is reserved: the engine emits it when a step fails for good`,
  ],
  [
    "a road for the failure of a choice",
    () => {
      const picks = choose("picks", { events: { ok: type() }, decide: () => undefined });
      return from(picks).on(picks, { ok: done, failed: done });
    },
    `choice "picks" cannot fail: only a step has attempts to use up`,
  ],
  [
    "a failure that leads nowhere",
    () => from(a).on(a, { ok: done, failed: undefined }),
    `Cannot route event "a.failed" to undefined`,
  ],
  [
    "a failure that leads back up",
    () => from(a).on(a, { ok: b, failed: done }).on(b, { ok: done, failed: a }).build(),
    `event "b.failed" leads to "a", which comes earlier`,
  ],
  [
    "a need of a failure that has no road",
    () => {
      const reads = one("reads", { needs: [a.when("failed")] });
      return from(a).on(a, { ok: reads }).on(reads, { ok: done }).build();
    },
    `step "reads" needs "a.failed", but the row of "a" has no road for "failed"`,
  ],
  [
    "a need of an outcome behind a failure",
    () => {
      const reads = one("reads", { needs: [a.outcome()] });
      return from(a).on(a, { ok: reads, failed: reads }).on(reads, { ok: done }).build();
    },
    `step "reads" needs "a.*", which is not guaranteed on every path that reaches it`,
  ],
];

describe("a row with a road for failed", () => {
  it("is a transition like any other in the graph", () => {
    const { graph } = from(a).on(a, { ok: done, failed: b }).on(b, { ok: done }).build();

    assertEquals([...graph.steps.get("a").moves], [
      ["ok", []],
      ["failed", [{ to: "b", mode: "plain" }]],
    ]);
  });

  it("lets a step read how another one settled", () => {
    const reads = one("reads", { needs: [a.settled()], sees: [b.when("failed")] });

    const built = from(b).on(b, { ok: a, failed: a }).on(a, { ok: reads, failed: reads })
      .on(reads, { ok: done }).build();

    assertEquals([...built.steps.keys()], ["b", "a", "reads"]);
  });

  for (const [name, write, sentence] of refused) {
    it(`refuses ${name}`, () => {
      assertThrows(write, WorkflowDefinitionError, sentence);
    });
  }
});
