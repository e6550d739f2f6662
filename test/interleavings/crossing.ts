import { choice, done, drop, join, signal, step, timer, type, undo, workflow } from "../../mod.ts";

const ok = { ok: type() };
const plain = <const N extends string>(name: N, queue: string) =>
  step(name, { events: ok, queue, run: ({ emit }) => emit.ok() });
/** May also end by dropping everything beside it, or by undoing. */
const cutting = <const N extends string>(name: N, queue: string) =>
  step(name, { events: { ...ok, cut: type(), quit: type() }, queue, run: ({ emit }) => emit.ok() });
const asked = <const N extends string>(name: N) => signal(name, { events: { given: type() } });

const open = choice("open", { events: ok, decide: ({ emit }) => emit.ok() });
const pack = cutting("pack", "left");
const wrap = cutting("wrap", "right");
/** Can be undone, so nothing cuts it off. A branch that is dropped could not contain it. */
const weigh = step("weigh", {
  events: ok,
  queue: "steps",
  run: ({ emit }) => emit.ok(),
  undo: { ok: () => {} },
});
const stamp = plain("stamp", "steps");
const label = plain("label", "grave");
const nap = timer("nap", "1ms");
const doze = timer("doze", "1ms");
const paid = asked("paid");
const agreed = asked("agreed");
const approval = asked("approval");
const meet = plain("meet", "steps");
const brief = plain("brief", "steps");
const rest = [
  drop(stamp),
  drop(label),
  drop(nap),
  drop(doze),
  drop(paid),
  drop(agreed),
  drop(approval),
] as const;

/** Everything is active from the start, so that any two things can happen to one instance at the same time. */
export const crossing = workflow("crossing", { key: "id", input: type(), start: open })
  .on(open, { ok: [pack, wrap, weigh, stamp, label, nap, doze, paid, agreed, approval] })
  .on(pack, { ok: join(meet), cut: [brief, drop(wrap), ...rest], quit: undo })
  .on(wrap, { ok: join(meet), cut: [brief, drop(pack), ...rest], quit: undo })
  .on(brief, { ok: done })
  .on(weigh, { ok: join(meet) })
  .on(stamp, { ok: join(meet) })
  .on(label, { ok: join(meet) })
  .on(nap, { elapsed: join(meet) })
  .on(doze, { elapsed: join(meet) })
  .on(paid, { given: join(meet) })
  .on(agreed, { given: join(meet) })
  .on(approval, { given: join(meet) })
  .on(meet, { ok: done })
  .build();

export const queues = { advance: "advances", execute: "steps", resume: "timers" };
export const served = {
  advances: 10,
  steps: 10,
  timers: 10,
  left: 10,
  right: 10,
  grave: 10,
};
export const deliveries = [paid.emit.given(), agreed.emit.given(), approval.emit.given()] as const;
export const approved = approval.emit.given();
/** The steps of a run in which nothing is dropped. */
export const steps = [...crossing.steps.keys()].filter((name) => name !== brief.name).sort();
