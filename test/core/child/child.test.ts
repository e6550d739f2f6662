import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  child,
  done,
  step,
  type,
  versioned,
  workflow,
  WorkflowDefinitionError,
} from "../../../mod.ts";
import { childEnding } from "../../../src/core/child/ending.ts";
import { childId } from "../../../src/core/child/identity.ts";
import type { EndedInstance } from "../../../src/core/engine/instance.ts";
import { encodeGraph, graphChanges } from "../../../src/core/graph/fingerprint.ts";

const pay = step("pay", { events: { paid: type<number>() }, run: ({ emit }) => emit.paid(1) });
const rows = workflow("refund", { key: "id", input: type(), start: pay }).on(pay, { paid: done });
const refunds = rows.returns({ refunded: pay.when("paid") }).build();
const plain = rows.build();
const options = { with: () => undefined };
const refund = child("refund", refunds, options);
const order = workflow("order", { key: "id", input: type(), start: refund })
  .on(refund, { refunded: done, failed: done })
  .build();

describe("child()", () => {
  it("has the outcomes of its workflow as events, or completed", () => {
    assertEquals(Object.keys(refund.events), ["refunded"]);
    assertEquals(Object.keys(child("plain", plain, options).events), ["completed"]);
    const both = versioned("refund", { versions: { 1: plain, 2: refunds }, current: 2 });
    assertEquals(Object.keys(child("both", both, options).events), ["completed", "refunded"]);
  });

  it("cannot be ended from outside", () => {
    assert(!("emit" in refund));
  });

  it("refuses what cannot be meant", () => {
    const mistakes: readonly (readonly [unknown, unknown, string])[] = [
      [undefined, options, "it is undefined. Modules that import each other can cause this"],
      [rows, options, "it is not built yet: end it with .build()"],
      [refunds, undefined, "its options are not an object"],
      [refunds, {}, `option "with" is not a function`],
      [refunds, { ...options, key: "a" }, `option "key" is not a function`],
      [refunds, { ...options, detached: 1 }, `option "detached" is not true or false`],
      [refunds, { ...options, depth: 0 }, `option "depth" is not a positive whole number`],
      [refunds, { ...options, events: {} }, `there is no option "events"`],
      [
        refunds,
        { ...options, deadline: 0 },
        `option "deadline" must be longer than 0 milliseconds`,
      ],
    ];
    for (const [target, given, sentence] of mistakes) {
      assertThrows(() => child("refund", target as never, given as never), Error, sentence);
    }
  });

  it("refuses a workflow that it would start again", () => {
    const again = child("again", order as never, options);
    const loop = (name: string) =>
      workflow(name, { key: "id", input: type(), start: again as never })
        .on(again as never, { completed: done } as never) as unknown as { build(): unknown };

    assertThrows(
      () => loop("refund").build(),
      WorkflowDefinitionError,
      'Cannot build workflow "refund": step "again" starts "order", which starts "refund": a workflow cannot be its own descendant',
    );
    loop("other").build();
  });

  it("is a subroutine in a drawing, and part of the graph of its version", () => {
    assert(order.toMermaid().includes('s0[["refund"]]'));
    const renamed = workflow("repayment", { key: "id", input: type(), start: pay })
      .on(pay, { paid: done })
      .returns({ refunded: pay.when("paid") })
      .build();
    const repay = child("refund", renamed, options);
    const changed = workflow("order", { key: "id", input: type(), start: repay })
      .on(repay, { refunded: done, failed: done })
      .build();
    assertEquals(graphChanges(encodeGraph(order.graph), encodeGraph(changed.graph)), [
      'step "refund" starts "repayment" instead of "refund" as its child',
    ]);
  });
});

describe("the id of a child", () => {
  it("is the same each time, and another one for each activation of each step", () => {
    const parents = [
      "01980000-0000-7000-8000-000000000000",
      "01980000-0000-7000-8000-000000000001",
    ];
    const ids = new Set<string>();
    for (const instance of parents) {
      for (const step of ["a", "b", "ab"]) {
        for (let activation = 1; activation <= 500; activation++) {
          const id = childId({ instance, step, activation });
          assertEquals(id, childId({ instance, step, activation }));
          assert(
            /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
            id,
          );
          ids.add(id);
        }
      }
    }
    assertEquals(ids.size, 3_000);
    const [one, other] = ["a", "b"].map((step) =>
      childId({
        instance: childId({ instance: parents[0]!, step, activation: 1 }),
        step: step === "a" ? "b" : "a",
        activation: 1,
      })
    );
    assert(one !== other);
  });
});

describe("the end of a child", () => {
  const id = "01980000-0000-8000-8000-000000000000";
  const ended = (part: Partial<EndedInstance>) =>
    ({ workflow: "refund", key: "id::a", version: 3, ...part }) as EndedInstance;
  const of = { step: "refund", id, events: new Set(["refunded", "completed"]), limited: false };
  const why = (part: Partial<EndedInstance> | undefined, limited = false) => {
    const ending = childEnding(part && ended(part), { ...of, limited });
    return "error" in ending ? `${ending.error.code}: ${ending.error.message}` : ending;
  };
  const error = { name: "Error", message: "Too slow", code: "DEADLINE" };

  it("is an event with what the child returns", () => {
    assertEquals(why({ status: "completed", outcome: "refunded", output: 5 }), {
      event: "refunded",
      output: 5,
    });
    assertEquals(why({ status: "completed" }), { event: "completed", output: undefined });
  });

  it("is a failure in any other case", () => {
    const named = `Cannot finish step "refund": its child refund "a" (${id})`;
    assertEquals(why({ status: "failed", error }), `CHILD_FAILED: ${named} is failed. Too slow`);
    assertEquals(why({ status: "failed", error }, true), `DEADLINE: ${named} is failed. Too slow`);
    assertEquals(why({ status: "cancelled" }), `CHILD_CANCELLED: ${named} is cancelled`);
    assertEquals(why({ status: "undone" }), `CHILD_UNDONE: ${named} is undone`);
    assertEquals(
      why(undefined),
      `CHILD_GONE: Cannot finish step "refund": its child ${id} was deleted`,
    );
    assertEquals(
      why({ status: "completed", outcome: "kept" }),
      `UNKNOWN_OUTCOME: ${named} has ended with "kept" in version 3, which the step does not know`,
    );
  });
});
