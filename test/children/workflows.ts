import {
  child,
  choice,
  done,
  drop,
  FatalError,
  signal,
  step,
  timer,
  type,
  undo,
  workflow,
} from "../../mod.ts";

/** What a refund does: it pays, waits, fails, is cancelled by its test, or undoes. */
export type Refunding = "pay" | "wait" | "fail" | "undo" | "nothing";

const pay = step("pay", {
  input: type<{ how: Refunding; cents: number }>(),
  events: { paid: type<{ cents: number }>(), refused: type(), back: type() },
  run({ input, emit }) {
    if (input.how === "fail") throw new FatalError("The bank said no");
    if (input.how === "undo") return emit.back();
    return input.how === "nothing" ? emit.refused() : emit.paid({ cents: input.cents });
  },
});
export const confirmed = signal("confirmed", { events: { yes: type<string>() } });
const look = choice("look", {
  input: type<{ how: Refunding; cents: number }>(),
  events: { wait: type(), pay: type() },
  decide: ({ input, emit }) => input.how === "wait" ? emit.wait() : emit.pay(),
});

/** Returns what it has paid, or who confirmed. */
export const refunds = workflow("refund", {
  key: "refundid",
  input: type<{ how: Refunding; cents: number }>(),
  start: look,
})
  .on(look, { wait: confirmed, pay })
  .on(confirmed, { yes: done })
  .on(pay, { paid: done, refused: done, back: undo })
  .returns({
    refunded: pay.when("paid"),
    refused: pay.when("refused"),
    confirmed: confirmed.when("yes"),
  })
  .build();

export const refund = child("refund", refunds, {
  input: type<Refunding>(),
  with: ({ input }) => ({ how: input, cents: 500 }),
  retry: { attempts: 2, base: "1ms" },
});
export const detached = child("detached", refunds, {
  input: type<Refunding>(),
  with: ({ input }) => ({ how: input, cents: 1 }),
  detached: true,
});
export const stop = signal("stop", { events: { now: type(), undo: type() } });
const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
export const told = step("told", {
  sees: [refund.when("refunded")],
  events: { ok: type<number>() },
  run: ({ seen, emit }) => emit.ok(seen.refund?.cents ?? 0),
});
export const asked = step("asked", {
  needs: [refund.when("failed")],
  events: { ok: type<string>() },
  run: ({ steps, emit }) => emit.ok(`${steps.refund.code} ${steps.refund.attempts}`),
});

/** Waits for a refund, and reads how it ended. */
export const order = workflow("order", { key: "id", input: type<Refunding>(), start: refund })
  .on(refund, { refunded: told, refused: done, confirmed: told, failed: asked })
  .on(told, { ok: done })
  .on(asked, { ok: done })
  .build();

/** Drops a refund and a detached one, or undoes, or is cancelled meanwhile. */
export const stopped = workflow("stopped", { key: "id", input: type<Refunding>(), start: begin })
  .on(begin, { ok: [refund, detached, stop] })
  .on(refund, { refunded: done, refused: done, confirmed: done })
  .on(detached, { refunded: done, refused: done, confirmed: done, failed: done })
  .on(stop, { now: [done, drop(refund), drop(detached)], undo })
  .build();

const limited = child("limited", refunds, {
  input: type<Refunding>(),
  with: ({ input }) => ({ how: input, cents: 1 }),
  key: () => "fixed",
  deadline: "10m",
});
const late = step("late", {
  needs: [limited.when("failed")],
  events: { ok: type<string>() },
  run: ({ steps, emit }) => emit.ok(`${steps.limited.code}: ${steps.limited.message}`),
});

/** Gives its child ten minutes and a key of its own. */
export const hurried = workflow("hurried", { key: "id", input: type<Refunding>(), start: limited })
  .on(limited, { refunded: done, refused: done, confirmed: done, failed: late })
  .on(late, { ok: done })
  .build();

const nap = timer("nap", 0);
const instant = choice("instant", { events: { ok: type() }, decide: ({ emit }) => emit.ok() });
/** Completes in its first turn, and returns nothing. */
export const at_once = workflow("at-once", { key: "id", input: type(), start: instant })
  .on(instant, { ok: done })
  .build();
const quick = child("quick", at_once, { with: () => undefined });
/** Goes on when a child completes that has ended in its first turn. */
export const quickly = workflow("quickly", { key: "id", input: type(), start: quick })
  .on(quick, { completed: nap })
  .on(nap, { elapsed: done })
  .build();

export const workflows = [refunds, order, stopped, hurried, at_once, quickly];
