// The workflows of `--flow`. A new word needs a workflow here, an entry in `flows`, and its steps
// in the lists below; what must hold of every history is in `flow_checks.ts`.
import { setTimeout as pause } from "node:timers/promises";
import {
  again,
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
import { batch, rush } from "./lists.ts";
import { digitOf, fail, input, key, note, plain, retry, undoable, writing } from "./steps.ts";
import { errand, family, races, trip, turns } from "./workflows.ts";

const hold = undoable("hold");
export const answer = signal("answer", {
  input,
  events: { yes: type() },
  expires: ({ input }) => `${input.n * 250}ms`,
});
const nag = timer("nag", {
  needs: [hold.when("ok")],
  after: ({ steps }) => `${steps.hold * 40}ms`,
});
const nudge = writing("nudging");
const poll = undoable("poll");
const gap = timer("gap", "5ms");
/** Fails in one round, in all, or in none. */
const probe = step("probe", {
  events: { ok: type() },
  retry: { attempts: 2, backoff: "constant", base: "5ms" },
  run({ instance, attempt, activation, emit }) {
    note(instance.id, "probe", attempt, activation);
    if (activation <= digitOf(instance) % 5) throw new Error("It is not ready in this round");
    return emit.ok();
  },
});
const pay = undoable("pay");
/** Ends by its deadline in some instances, whatever attempts it has left. */
const patient = step("patient", {
  events: { ok: type() },
  deadline: "70ms",
  retry,
  run({ instance, attempt, activation, emit }) {
    note(instance.id, "patient", attempt, activation);
    if (digitOf(instance) % 2 === 0) throw new Error("It is never ready");
    return emit.ok();
  },
});
/** Fails its instance until somebody has retried it by hand. */
const settle = step("settleByHand", {
  events: { keep: type(), back: type() },
  retry,
  async run({ instance, attempt, activation, emit }) {
    note(instance.id, "settleByHand", attempt, activation);
    await pause(attempt % 5);
    if (activation === 1 && digitOf(instance) % 3 === 0) throw new FatalError("By hand only");
    return digitOf(instance) % 4 < 2 ? emit.keep() : emit.back();
  },
});
const deliver = writing("deliver");
const sum = plain("sum");
export const limit = 3;
/** Every word in one instance. It must be retried by hand where it fails. */
export const tour = workflow("tour", {
  key,
  input,
  start: hold,
  deadline: "10m",
  undoOn: ["cancelled"],
})
  .on(hold, { ok: [answer, nag] })
  .on(answer, { yes: [poll, drop(nag)], expired: [poll, drop(nag)] })
  .on(nag, { elapsed: nudge })
  .on(nudge, { ok: done })
  .on(poll, { ok: gap })
  .on(gap, { elapsed: probe })
  .on(probe, { ok: pay, failed: again(poll, { limit, then: sum }) })
  .on(pay, { ok: patient })
  .on(patient, { ok: settle, failed: settle })
  .on(settle, { keep: deliver, back: undo })
  .on(deliver, { ok: done })
  .on(sum, { ok: done })
  .returns({ delivered: deliver.when("ok"), given: sum.when("ok") })
  .build();

const rent = undoable("rent");
const wash = writing("wash");
const ride = undoable("ride");
const never = signal("never", { events: { yes: type() } });
/** Waits until its deadline fails it, and undoes before it has failed. */
export const hire = workflow("hire", {
  key,
  input,
  start: rent,
  deadline: ({ input }) => `${input.n * 900}ms`,
  undoOn: ["failed", "cancelled"],
})
  .on(rent, { ok: [wash, ride, never] })
  .on(wash, { ok: done })
  .on(ride, { ok: done })
  .on(never, { yes: done })
  .build();

const lend = undoable("lend");
const bring = undoable("bring");
const spoiled = fail.as("spoiled");
/** Undoes because a step has failed, while a part of it may still be doing what is undone. */
export const loan = workflow("loan", { key, input, start: lend, undoOn: ["failed"] })
  .on(lend, { ok: [bring, spoiled] })
  .on(bring, { ok: done })
  .on(spoiled, { ok: done })
  .build();

export const quick = signal("quick", { events: { yes: type() }, expires: "300ms" });
const slow = writing("slow");
const bid = plain("bid");
const won = plain("won");
const lost = writing("lost");
/** A wait and a step drop each other, and either may be returned. */
export const bids = workflow("bids", { key, input, start: bid })
  .on(bid, { ok: [quick, slow] })
  .on(quick, { yes: [won, drop(slow)], expired: [won, drop(slow)] })
  .on(slow, { ok: [lost, drop(quick)] })
  .on(won, { ok: done })
  .on(lost, { ok: done })
  .returns({ won: won.when("ok"), lost: lost.when("ok") })
  .build();

export const flows = {
  ...{ turns, races, trip, family, errand },
  ...{ tour, hire, loan, bids, batch, rush },
} as const;

/** Those that a person retries when they have failed. */
export const retriedByHand = ["tour", "batch"] as const;

/** What they return. */
export const outcomes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  tour: { delivered: "deliver", given: "sum" },
  bids: { won: "won", lost: "lost" },
  batch: { summed: "summary" },
  rush: { early: "early", late: "late" },
  errand: { done: "errand2" },
};

/** The steps that write in the transaction of their result, beside those of `workflows.ts`. */
export const flowWriters: readonly string[] = [
  ...["hold", "~hold", "nudging", "poll", "~poll", "pay", "~pay", "deliver"],
  ...["rent", "~rent", "wash", "ride", "~ride"],
  ...["lend", "~lend", "bring", "~bring"],
  ...["slow", "lost"],
];
/** The other steps that have code and end with `ok`. */
export const flowRunners: readonly string[] = [
  ...["probe", "patient", "sum", "bid", "won"],
  ...["count", "summary", "early", "late"],
];
/** The steps that use up two attempts. */
export const flowFailing: readonly string[] = ["probe", "spoiled"];
/** The steps that fail in any attempt: by a deadline, or at once. */
export const failingEarly: readonly string[] = [
  ...["patient", "settleByHand"],
  ...["sorted[]", "packed[]", "packed"],
];

/** The steps that can be undone when they end with `ok`. */
export const undoables: readonly string[] = [
  ...["hold", "poll", "pay"],
  ...["rent", "ride"],
  ...["lend", "bring"],
  ...["book", "car", "room"],
];
