import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import * as v from "valibot";
import type { Need } from "../../../src/core/define/step_definition.ts";
import { step } from "../../../src/core/define/step.ts";
import { check, isType, type Type, type } from "../../../src/core/value/type.ts";

describe("check()", () => {
  it("lets everything pass a marker, and only undefined pass without a type", () => {
    assertEquals(check(type<number>(), "text"), { value: "text" });
    assertEquals(check(undefined, undefined), { value: undefined });
    assertEquals(check(undefined, 1), { problem: "expected no value" });
  });

  it("gives what a schema made of the value", () => {
    const schema = v.object({
      name: v.pipe(v.string(), v.trim()),
      size: v.optional(v.number(), 1),
    });

    assertEquals(check(schema, { name: " a " }), { value: { name: "a", size: 1 } });
  });

  it("says where a schema refused the value, and how often", () => {
    const schema = v.object({
      items: v.array(v.object({ "the price": v.number("not a number") })),
    });

    assertEquals(check(schema, { items: [{ "the price": 1 }, { "the price": "x" }] }), {
      problem: `at items[1]["the price"]: not a number`,
    });
    assertEquals(check(schema, { items: [{ "the price": "x" }, { "the price": "x" }] }), {
      problem: `at items[0]["the price"]: not a number (and 1 more)`,
    });
    assertEquals(check(v.string("no text"), 1), { problem: "no text" });
  });

  it("waits for a schema that is asynchronous", async () => {
    const even = v.pipeAsync(
      v.number(),
      v.checkAsync((number) => Promise.resolve(number % 2 === 0), "odd"),
    );
    const answer = check(even, 3);

    assertInstanceOf(answer, Promise);
    assertEquals(await answer, { problem: "odd" });
    assertEquals(await check(even, 4), { value: 4 });
  });

  it("says that a schema gave no reason", () => {
    const silent: Type<string> = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [] }) },
    };
    assertEquals(check(silent, 1), {
      problem: "the schema rejected the value without giving a reason",
    });
  });
});

describe("isType()", () => {
  it("knows markers and schemas, functions too, and nothing else", () => {
    assert([type(), v.string(), Object.assign(() => 1, type())].every(isType));
    assert(![undefined, null, 1, {}, { "~standard": 1 }, { "~standard": {} }].some(isType));
  });
});

describe("a schema", () => {
  it("types what a step emits and is given", () => {
    const paid = step("paid", {
      input: v.object({ cents: v.number() }),
      events: { ok: v.object({ receipt: v.string() }) },
      run: ({ input, emit }) => emit.ok({ receipt: `r-${input.cents.toFixed()}` }),
    });
    const need: Need<"paid", "ok", { receipt: string }> = paid.when("ok");

    assertEquals([need.name, need.event], ["paid", "ok"]);
    assert(isType(paid.definition.input));
  });
});
