import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { has, including, none, unite } from "../../../../src/core/graph/proof/row_set.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { step } from "../../../../src/core/define/step.ts";
import { done, join } from "../../../../src/core/define/target.ts";
import { type } from "../../../../src/core/value/type.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";

// Names made in a loop prove nothing to the compiler: these are workflows of plain JavaScript.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, begin]: Anything[] = [step, workflow];

const one = (name: string, options: object = {}): Anything =>
  define(name, { events: { ok: type() }, run: () => undefined, ...options });
const two = (name: string): Anything => one(name, { events: { ok: type(), no: type() } });
const d = one("d");
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });

describe("the proof of large workflows", () => {
  it("takes 10,000 parallel steps that are joined however they end", () => {
    const workers = Array.from({ length: 10_000 }, (_, index) => two(`worker-${index}`));
    const end = one("end", { needs: workers.map((worker) => worker.outcome()) });
    let builder = from(d).on(d, { ok: workers });
    for (const worker of workers) builder = builder.on(worker, { ok: join(end), no: join(end) });

    assertEquals(builder.on(end, { ok: done }).build().steps.size, 10_002);
  });

  it("takes room for the rows that are behind a step, not for all of the workflow", () => {
    const behind = including(including(none(), 0), 99_999);
    const join = none();
    unite(join, behind);

    assertEquals([has(join, 0), has(join, 99_999), has(join, 99_998)], [true, true, false]);
    assertEquals(join.size, 2);
  });

  it("takes 500 decisions in a row", () => {
    const decisions = Array.from({ length: 500 }, (_, index) => two(`decision-${index}`));
    let builder = from(decisions[0]);
    for (const [index, decision] of decisions.entries()) {
      const [left, right] = [one(`left-${index}`), one(`right-${index}`)];
      const next = decisions[index + 1] ?? d;
      builder = builder.on(decision, { ok: left, no: right }).on(left, { ok: next })
        .on(right, { ok: next });
    }
    assertEquals(builder.on(d, { ok: done }).build().steps.size, 1_501);
  });

  it("falls back to what is certain beyond 4,096 paths", () => {
    // Each of 14 parallel steps ends in one of three ways, two of which join: 2^14 paths.
    const three = { ok: type(), no: type(), off: type() };
    const workers = Array.from({ length: 14 }, (_, index) => one(`w-${index}`, { events: three }));
    const end = one("end", { needs: [d.outcome(), ...workers.map((worker) => worker.outcome())] });
    const wrong = one("end", { needs: [workers[0].when("ok")] });
    const build = (last: Anything): Anything => {
      let builder = from(d).on(d, { ok: workers });
      for (const worker of workers) {
        builder = builder.on(worker, { ok: join(last), no: join(last), off: done });
      }
      return builder.on(last, { ok: done }).build();
    };

    assertEquals(build(end).steps.size, 16);
    assertThrows(
      () => build(wrong),
      WorkflowDefinitionError,
      `needs "w-0.ok", which is not guaranteed`,
    );
  });
});
