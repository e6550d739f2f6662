import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { again, choice, done, drop, join, signal, step, type, undo, workflow } from "../../mod.ts";
import { WorkflowDefinitionError } from "../../mod.ts";

const events = { ok: type() };
const run = ({ emit }: { emit: { ok(): unknown } }) => emit.ok();
const nothing = () => {};

/** The sentence with which a definition is refused, as plain JavaScript would get it. */
function refusal(define: () => unknown): string {
  return assertThrows(define, WorkflowDefinitionError).message;
}

// deno-lint-ignore no-explicit-any -- what the compiler refuses as well
const made = (more: object) => step("a", { events, run, ...more } as any);

const notObject = `option "undo" is not an object with a function for each event`;

describe("undo in a definition", () => {
  it("is refused on a step where it can never run or is no code", () => {
    const cases: readonly [object, string][] = [
      [{ undo: nothing }, notObject],
      [{ undo: "ok" }, notObject],
      [{ undo: null }, notObject],
      [{ undo: {} }, `option "undo" names no event`],
      [{ undo: { ok: undefined } }, `option "undo" names no event`],
      [{ undo: { no: nothing } }, `option "undo" names the event "no", which it does not declare`],
      [{ undo: { ok: 1 } }, `option "undo.ok" is not a function`],
      [
        { undo: { expired: nothing } },
        `option "undo" names the event "expired", which it does not declare`,
      ],
      [{ undoRetry: {} }, `option "undoRetry" is only for steps with "undo"`],
      [{ undo: { ok: nothing }, undoRetry: 3 }, `option "undoRetry" is not an object`],
      [{ undo: { ok: nothing }, undoRetry: { tries: 1 } }, `there is no option "tries"`],
    ];
    for (const [more, why] of cases) {
      assertEquals(refusal(() => made(more)), `Cannot define step "a": ${why}`);
    }
    const options = { events, decide: run, undo: { ok: nothing } };
    assertEquals(
      // deno-lint-ignore no-explicit-any -- what the compiler refuses as well
      refusal(() => choice("a", options as any)),
      `Cannot define choice "a": there is no option "undo"`,
    );
    assertEquals(
      // deno-lint-ignore no-explicit-any -- what the compiler refuses as well
      refusal(() => signal("a", options as any)),
      `Cannot define signal "a": there is no option "decide"`,
    );
  });

  it("accepts failed, and expired where a wait has a limit", () => {
    const code = { ok: nothing, failed: nothing, expired: nothing };
    const definition = made({ async: true, expires: "1h", undo: code }).definition;

    assertEquals([...definition.undo!.undoes], ["ok", "failed", "expired"]);
    assertEquals(made({ undo: { failed: nothing } }).as("b").definition.undo?.name, "b");
  });

  const [a, b, c] = [made({}), made({}).as("b"), made({ undo: { ok: nothing } }).as("c")];
  // deno-lint-ignore no-explicit-any
  const build = (moves: any, more: object = {}) =>
    workflow("w", { key: "id", input: type(), start: a, ...more }).on(a, moves);

  it("stands alone in a row", () => {
    const refused = `Cannot route event "a.ok" to undo: undo must be the only target`;
    assertEquals(refusal(() => build({ ok: [b, undo] })), refused);
    assertEquals(refusal(() => build({ ok: [undo, drop(b)] })), refused);
    // deno-lint-ignore no-explicit-any
    assertEquals(refusal(() => join(undo as any)), "Cannot join undo: it is not a step");
  });

  it("is where a loop may lead after its last round", () => {
    const { graph } = build({ ok: again(a, { limit: 2, then: undo }) }).build();

    assertEquals([...graph.steps.get("a")!.undoing], ["ok"]);
    assertEquals(graph.steps.get("a")!.loops.get("ok")?.ends, false);
  });

  it("is asked for before two ends only", () => {
    for (const undoOn of ["failed", ["completed"], [1], null]) {
      assertEquals(
        refusal(() => build({ ok: done }, { undoOn })),
        `Cannot build workflow "w": option "undoOn" is not an array of "failed" and "cancelled"`,
      );
    }
  });

  it("does not let a branch be dropped that contains what can be undone", () => {
    const wait = signal("wait", { events });
    const dropping = () =>
      build({ ok: [wait, b] })
        .on(wait, { ok: [done, drop(b)] })
        .on(b, { ok: c })
        .on(c, { ok: done })
        .build();
    assertEquals(
      refusal(dropping),
      `Cannot build workflow "w": event "wait.ok" drops "b", but "c" can be undone: it must not be cut off`,
    );
  });
});
