import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  done,
  first,
  join,
  signal,
  step,
  timer,
  type,
  type Workflow,
  workflow,
} from "../../../mod.ts";
import { move, type MovingInstance } from "../../../src/core/deploy/move.ts";
import type { AppliedResult } from "../../../src/core/deploy/replay.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import { ending } from "../engine/runs.ts";

const ok = { events: { ok: type() } };
const work = step("work", { ...ok, run: ({ emit }) => emit.ok() });
const [a, b, c, d] = [work.as("a"), work.as("b"), work.as("c"), work.as("d")];
const [wait, late] = [signal("wait", ok), signal("late", ok)];
const named = { key: "id", input: type(), start: a } as const;
const undecided = () => {
  throw new Error("There is no choice");
};

/** An instance after these turns: in each, the named steps have ended with "ok". */
function after({ graph }: Workflow, ...turns: readonly (readonly string[])[]): MovingInstance {
  let { control } = open(graph, undecided);
  const history: AppliedResult[] = [];
  for (const [at, steps] of turns.entries()) {
    const ends = steps.map((name) => ({ ...ending(name, 1), metadata: { of: name } }));
    const progress = advance(graph, control, ends, undecided);
    for (const { ending, causes } of progress.applied) {
      history.push({ ...ending, causes, revision: at + 2 });
    }
    control = progress.control;
  }
  return { control, history, unread: [], scheduled: [] };
}

function reason(from: Workflow, to: Workflow, of: MovingInstance): string | undefined {
  return move(from.graph, to.graph, of, "version 2").reason;
}

const line = workflow("w", named).on(a, { ok: b }).on(b, { ok: wait }).on(wait, { ok: c })
  .on(c, { ok: done }).build();

describe("a move is refused where", () => {
  it("a step has ended that the version does not have, or not with this event", () => {
    const shorter = workflow("w", named).on(a, { ok: wait }).on(wait, { ok: c }).on(c, { ok: done })
      .build();
    assertEquals(
      reason(line, shorter, after(line, ["a"], ["b"])),
      '"b" has ended, which version 2 does not have',
    );
    const other = step("b", { events: { fine: type() }, run: ({ emit }) => emit.fine() });
    const renamed = workflow("w", named).on(a, { ok: other }).on(other, { fine: wait })
      .on(wait, { ok: c }).on(c, { ok: done }).build();
    assertEquals(
      reason(line, renamed, after(line, ["a"], ["b"])),
      '"b" has ended with "ok", which version 2 does not have',
    );
  });

  it("a step has ended for another cause", () => {
    const one = workflow("w", named).on(a, { ok: [b, c] }).on(b, { ok: d }).on(c, { ok: done })
      .on(d, { ok: wait }).on(wait, { ok: done }).build();
    const two = workflow("w", named).on(a, { ok: [b, c] }).on(b, { ok: join(d) })
      .on(c, { ok: join(d) }).on(d, { ok: wait }).on(wait, { ok: done }).build();
    assertEquals(
      reason(one, two, after(one, ["a"], ["b", "c"], ["d"])),
      '"d" has ended after b, and not after b and c as in version 2',
    );
    assertEquals(reason(one, two, after(one, ["a"], ["b", "c"])), undefined);
  });

  it("the version would be elsewhere", () => {
    const longer = workflow("w", named).on(a, { ok: [b, d] }).on(b, { ok: wait })
      .on(d, { ok: done }).on(wait, { ok: c }).on(c, { ok: done }).build();
    assertEquals(
      reason(line, longer, after(line, ["a"])),
      'version 2 would have started "d" already',
    );
    const inserted = workflow("w", named).on(a, { ok: b }).on(b, { ok: d }).on(d, { ok: wait })
      .on(wait, { ok: c }).on(c, { ok: done }).build();
    assertEquals(reason(line, inserted, after(line, ["a"])), undefined);
    assertEquals(
      reason(line, inserted, after(line, ["a"], ["b"])),
      'it is at "wait", and version 2 would not be',
    );
  });

  it("the step that it is at is of another kind or has other events", () => {
    const nap = timer("wait", "1d");
    const slept = workflow("w", named).on(a, { ok: b }).on(b, { ok: nap }).on(nap, { elapsed: c })
      .on(c, { ok: done }).build();
    assertEquals(
      reason(line, slept, after(line, ["a"], ["b"])),
      'it is at signal "wait", a timer in version 2',
    );
    const expiring = signal("wait", { ...ok, expires: "1d" });
    const limited = workflow("w", named).on(a, { ok: b }).on(b, { ok: expiring })
      .on(expiring, { ok: c, expired: done }).on(c, { ok: done }).build();
    assertEquals(
      reason(line, limited, after(line, ["a"], ["b"])),
      'it is at "wait", whose events are others in version 2',
    );
    const asynchronous = step("b", { ...ok, async: true, run: ({ emit }) => emit.later() });
    const waiting = workflow("w", named).on(a, { ok: asynchronous }).on(asynchronous, { ok: wait })
      .on(wait, { ok: c }).on(c, { ok: done }).build();
    assertEquals(
      reason(line, waiting, after(line, ["a"])),
      'it is at "b", which is asynchronous in version 2',
    );
  });

  it("a delivery is kept or scheduled that the version does not take", () => {
    const one = workflow("w", named).on(a, { ok: wait }).on(wait, { ok: late }).on(late, {
      ok: done,
    })
      .build();
    const two = workflow("w", named).on(a, { ok: wait }).on(wait, { ok: c }).on(c, { ok: done })
      .build();
    const at = after(one, ["a"]);
    const delivery = { step: "late", activation: 1, event: "ok" };
    const kept = {
      ...at,
      control: { ...at.control, early: new Set(["late"]) },
      unread: [delivery],
    };
    const sentence = 'a delivery of "ok" to "late" waits, which version 2 would not take';
    assertEquals(reason(one, two, at), undefined);
    assertEquals(reason(one, two, kept), sentence);
    assertEquals(reason(one, two, { ...at, scheduled: [delivery] }), sentence);
    assertEquals(reason(one, one, kept), undefined);
  });

  it("its metadata would be merged in another order", () => {
    const one = workflow("w", named).on(a, { ok: [b, c] }).on(b, { ok: first(wait) })
      .on(c, { ok: first(wait) }).on(wait, { ok: done }).build();
    const two = workflow("w", named).on(a, { ok: [b, c] }).on(c, { ok: first(wait) })
      .on(b, { ok: first(wait) }).on(wait, { ok: done }).build();
    assertEquals(
      reason(one, two, after(one, ["a"], ["b"], ["c"])),
      "its metadata would be merged in another order in version 2",
    );
  });

  it("its results do not tell its state", () => {
    const of = after(line, ["a"], ["b"]);
    const [, ...history] = of.history;
    const sentence = "its results do not tell how it got to where it is";
    assertEquals(reason(line, line, { ...of, history }), sentence);
    const begun = { ...of.control, begun: new Set(["c"]) };
    assertEquals(reason(line, line, { ...of, control: begun }), sentence);
  });
});
