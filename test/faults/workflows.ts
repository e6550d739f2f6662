import { setTimeout as pause } from "node:timers/promises";
import {
  again,
  child,
  choice,
  done,
  drop,
  join,
  signal,
  step,
  timer,
  type,
  undo,
  workflow,
} from "../../mod.ts";
import { fail, input, key, note, plain, retry, undoable, writing } from "./steps.ts";

const accept = plain("accept");
const reserve = writing("reserve");
const charge = plain("charge", true);
const nap = timer("nap", "60ms");
const settle = choice("settle", {
  needs: [charge.when("ok")],
  events: { go: type(), stop: type() },
  decide: ({ steps, emit }) => steps.charge % 2 === 0 ? emit.stop() : emit.go(),
});
const ship = writing("ship");
const release = writing("release");
export const shop = workflow("shop", { key, input, start: accept })
  .on(accept, { ok: [reserve, charge, nap] })
  .on(reserve, { ok: join(settle) })
  .on(charge, { ok: join(settle) })
  .on(nap, { elapsed: join(settle) })
  .on(settle, { go: ship, stop: release })
  .on(ship, { ok: done })
  .on(release, { ok: done })
  .build();

const split = plain("split");
const parts = [
  writing("w1"),
  writing("w2"),
  writing("w3"),
  plain("w4", true),
  writing("w5"),
] as const;
const merge = writing("merge");
export const wide = workflow("wide", { key, input, start: split })
  .on(split, { ok: [parts[0], parts[1], parts[2], parts[3], parts[4]] })
  .on(parts[0], { ok: join(merge) })
  .on(parts[1], { ok: join(merge) })
  .on(parts[2], { ok: join(merge) })
  .on(parts[3], { ok: join(merge) })
  .on(parts[4], { ok: join(merge) })
  .on(merge, { ok: done })
  .build();

const open = plain("open");
const prepare = writing("prepare");
export const sign = signal("sign", { events: { ok: type() } });
/** Ended by a delivery, by its limit, or by itself. */
export const call = step("call", {
  events: { ok: type() },
  async: true,
  expires: "400ms",
  retry,
  async run({ instance, attempt, emit }) {
    note(instance.id, "call", attempt);
    await pause((attempt * 13) % 30);
    return instance.id.charCodeAt(35) % 4 === 0 ? emit.ok() : emit.later();
  },
});
const file = writing("file");
export const desk = workflow("desk", { key, input, start: open })
  .on(open, { ok: [prepare, sign, call] })
  .on(prepare, { ok: join(file) })
  .on(sign, { ok: join(file) })
  .on(call, { ok: join(file), expired: join(file) })
  .on(file, { ok: done })
  .build();

export const begin = writing("begin");
export const beside = writing("beside");
export const doomed = workflow("doomed", { key, input, start: begin })
  .on(begin, { ok: [beside, fail] })
  .on(beside, { ok: done })
  .on(fail, { ok: done })
  .build();

const l1 = plain("l1");
const l2 = writing("l2");
const l3 = timer("l3", "1ms");
const l4 = plain("l4", true);
const l5 = writing("l5");
export const line = workflow("line", { key, input, start: l1 })
  .on(l1, { ok: l2 })
  .on(l2, { ok: l3 })
  .on(l3, { elapsed: l4 })
  .on(l4, { ok: l5 })
  .on(l5, { ok: done })
  .build();

const look = writing("look");
const rest = timer("rest", "5ms");
const broken = fail.as("broken");
const tally = plain("tally");
const rounds = 3;
/** A loop that leads back from a failure, and then has used up its rounds. */
export const turns = workflow("turns", { key, input, start: look })
  .on(look, { ok: rest })
  .on(rest, { elapsed: broken })
  .on(broken, { ok: done, failed: again(look, { limit: rounds, then: tally }) })
  .on(tally, { ok: done })
  .build();

const quote = plain("quote");
const rival = writing("rival");
const nudge = timer("nudge", "20ms");
const remind = writing("remind");
const deal = writing("deal");
const miss = plain("miss");
/** Two branches that drop each other: the first one goes on alone. */
export const races = workflow("races", { key, input, start: quote })
  .on(quote, { ok: [rival, nudge] })
  .on(rival, { ok: [deal, drop(nudge)] })
  .on(nudge, { elapsed: remind })
  .on(remind, { ok: [miss, drop(rival)] })
  .on(deal, { ok: done })
  .on(miss, { ok: done })
  .build();

const book = undoable("book");
const car = undoable("car");
const room = undoable("room");
const late = timer("late", "1d");
const sell = plain("sell", true);
/** Ends by undoing what it has done, while a part of it may still be doing it. */
export const trip = workflow("trip", { key, input, start: book, undoOn: ["cancelled"] })
  .on(book, { ok: [car, sell, late] })
  .on(car, { ok: room })
  .on(room, { ok: done })
  .on(late, { elapsed: done })
  .on(sell, { ok: undo })
  .build();

const errand1 = writing("errand1");
const errand2 = plain("errand2", true);
export const errand = workflow("errand", { key, input, start: errand1 })
  .on(errand1, { ok: errand2 })
  .on(errand2, { ok: done })
  .returns({ done: errand2.when("ok") })
  .build();
const hire = writing("hire");
const hired = child("hired", errand, { input, with: ({ input }) => input, retry });
const paid = writing("paid");
/** Waits for an errand of its own, which is cancelled with it. */
export const family = workflow("family", { key, input, start: hire })
  .on(hire, { ok: hired })
  .on(hired, { done: paid })
  .on(paid, { ok: done })
  .build();

export const all = { shop, wide, desk, doomed, line, turns, races, trip, errand, family } as const;

/** The steps that write in the transaction of their result. Those of `flow.ts` are listed there. */
export const writers: readonly string[] = [
  ...["reserve", "ship", "release", "w1", "w2", "w3", "w5", "merge", "prepare"],
  ...["file", "begin", "beside", "l2", "l5", "look", "rival", "remind", "deal"],
  ...["book", "car", "room", "~book", "~car", "~room", "hire", "errand1", "paid"],
];
/** The steps that have code, and leave a line in the diary. */
export const runners: readonly string[] = [
  ...writers,
  "accept",
  "charge",
  "split",
  "w4",
  "open",
  "l1",
  "l4",
  "tally",
  "quote",
  "miss",
  "sell",
  "errand2",
];
/** The steps that use up all their attempts. */
export const failing: readonly string[] = ["fail", "broken", "hostile"];
/** How many steps of a completed instance have ended. Of a race, it depends on who wins. */
export const lengths: Readonly<Record<string, number>> = {
  shop: 6,
  wide: 7,
  desk: 5,
  doomed: 3,
  line: 5,
  turns: 3 * rounds + 1,
  errand: 2,
  family: 3,
};
