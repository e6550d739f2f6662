import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { again, choice, done, drop, join, signal, step, type, undo, workflow } from "../../mod.ts";
import { simulate } from "../../src/testing/simulate.ts";

const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
const [a, b, c, d] = [work.as("a"), work.as("b"), work.as("c"), work.as("d")];
const booking = step("booking", {
  events: { ok: type(), no: type() },
  run: ({ emit }) => emit.ok(),
  undo: { ok() {} },
});
const pick = choice("pick", {
  events: { go: type(), back: type() },
  decide: ({ emit }) => emit.go(),
});
const wait = signal("wait", { events: { yes: type() } });
const end = { ok: done, no: done } as const;
const options = { key: "id", input: type(), start: a } as const;

describe("what simulate() finds that nobody undoes", () => {
  it("is what ends before an ending by undoing, and has no undo for its event", () => {
    const flow = workflow("order", options)
      .on(a, { ok: booking, no: done })
      .on(booking, { ok: b, no: b })
      .on(b, { ok: done, no: undo })
      .build();

    assertEquals(simulate(flow).notUndone, ["a.ok", "booking.no", "b.no"]);
    assert(simulate(flow).toText().includes("nobody undoes: a.ok, booking.no, b.no\n"));
  });

  it("is nothing where instances never undo, nor in a run that does not", () => {
    const never = workflow("order", options).on(a, { ok: b, no: done }).on(b, end).build();
    const other = workflow("order", options)
      .on(a, { ok: b, no: undo })
      .on(b, end)
      .build();

    assertEquals(simulate(never).notUndone, []);
    assertEquals(simulate(other).notUndone, ["a.no"]);
  });

  it("is what has ended beside a step that fails its instance, whichever of them is first", () => {
    const flow = workflow("order", { ...options, undoOn: ["failed"] })
      .on(a, { ok: [c, b], no: done, failed: done })
      .on(c, { ok: d, no: done })
      .on(b, { ok: done, no: done, failed: done })
      .on(d, { ok: done, no: done, failed: done })
      .build();

    // Nothing fails the instance after `c`, so what `c` and `d` do stays.
    assertEquals(simulate(flow).notUndone, ["a.ok", "b.ok", "b.no"]);
  });

  it("is what comes beside, after more than one step", () => {
    const flow = workflow("order", { ...options, undoOn: ["failed"] })
      .on(a, { ok: [b, c], no: done, failed: done })
      .on(b, { ok: d, no: done, failed: done })
      .on(d, { ok: done, no: done, failed: done })
      .on(c, end)
      .build();

    assertEquals(simulate(flow).notUndone, ["a.ok", "b.ok", "b.no", "d.ok", "d.no"]);
  });

  it("is what earlier rounds have done, and what rounds have done that are used up", () => {
    const flow = (undoOn: readonly "failed"[]) =>
      workflow("order", { ...options, undoOn })
        .on(a, { ok: b, no: done, failed: done })
        .on(b, { ok: again(a, { limit: 3 }), no: done, failed: done })
        .build();

    assertEquals(simulate(flow(["failed"])).notUndone, ["a.ok", "b.ok"]);
    assertEquals(simulate(flow([])).notUndone, []);
  });

  it("is all that is not last, where a cancel or a deadline undoes", () => {
    const rows = (
      undoing: { readonly undoOn?: ["failed" | "cancelled"]; readonly deadline?: "1d" },
    ) =>
      workflow("order", { ...options, ...undoing })
        .on(a, { ok: wait, no: done, failed: done })
        .on(wait, { yes: booking })
        .on(booking, { ok: b, no: done, failed: done })
        .on(b, { ok: done, no: done, failed: done })
        .build();

    const straight = workflow("order", { ...options, undoOn: ["cancelled"] })
      .on(a, { ok: pick, no: done })
      .on(pick, { go: done, back: done })
      .build();
    const decided = workflow("order", { ...options, undoOn: ["cancelled"] })
      .on(a, { ok: pick, no: done })
      .on(pick, { go: done, back: undo })
      .build();

    assertEquals(simulate(rows({ undoOn: ["cancelled"] })).notUndone, ["a.ok"]);
    assertEquals(simulate(rows({ undoOn: ["failed"], deadline: "1d" })).notUndone, ["a.ok"]);
    assertEquals(simulate(rows({ undoOn: ["failed"] })).notUndone, []);
    assertEquals(simulate(decided).notUndone, ["a.ok"]);
    assertEquals(simulate(straight).notUndone, []);
  });

  it("is not what was dropped, and is what a join has waited for", () => {
    const dropping = workflow("order", options)
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: [d, drop(c)], no: done })
      .on(c, end)
      .on(d, { ok: undo, no: done })
      .build();
    const joining = workflow("order", options)
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: join(d), no: join(d) })
      .on(c, { ok: join(d), no: join(d) })
      .on(d, { ok: undo, no: done })
      .build();

    // `c` may have ended before `b` drops it.
    assertEquals(simulate(dropping).notUndone, ["a.ok", "b.ok", "c.ok", "c.no", "d.ok"]);
    assertEquals(simulate(joining).notUndone, ["a.ok", "b.ok", "b.no", "c.ok", "c.no", "d.ok"]);
  });
});
