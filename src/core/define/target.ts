import { WorkflowDefinitionError } from "../errors/errors.ts";
import { checkRounds, described } from "./aims.ts";
import { isObject, isStep, only, type Refuse } from "./options.ts";
import type { Step } from "./step.ts";

/** The end of a path. */
export interface Done {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "done";
}

/** The end of an instance that undoes what its steps have done. */
export interface Undo {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "undo";
}

/** A step that starts once all steps that point to it with `join` have arrived. */
export interface Join<S extends Step = Step> {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "join";
  /** The step. */
  readonly step: S;
}

/** A step that starts at the first arrival. */
export interface First<S extends Step = Step> {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "first";
  /** The step. */
  readonly step: S;
}

/** A loop: the event leads back to an earlier step. */
export interface Again<S extends Step = Step, Then = unknown> {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "again";
  /** The step. */
  readonly step: S;
  /** How many rounds there are at most, including the first. */
  readonly limit: number;
  /** Where the event leads in the last round. */
  readonly then?: Then;
}

/** A branch that ends: its steps are withdrawn, whether they run, wait or have not started. */
export interface Drop<S extends Step = Step> {
  /** Distinguishes it from the other kinds of target. */
  readonly kind: "drop";
  /** The first step of the branch. */
  readonly step: S;
}

/** A step that an event may lead to. */
export type MoveTarget = Step | Join | First;

/**
 * Where an event leads: one target, several parallel targets, `done` or `undo`, and which branches
 * it drops.
 */
export type Move =
  | MoveTarget
  | Done
  | Undo
  | readonly [MoveTarget | Drop, ...(MoveTarget | Drop)[]]
  | readonly [Done, ...Drop[]];

/**
 * Ends a path. The instance completes when no step is active any more.
 *
 * @example End after one step
 * ```ts
 * import { done, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const send = step("send", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
 * const mail = workflow("mail", { key: "id", input: type(), start: send })
 *   .on(send, { sent: done })
 *   .build();
 * assertEquals(mail.graph.steps.get("send")?.moves.get("sent"), []);
 * ```
 */
export const done: Done = Object.freeze({ kind: "done" });

/**
 * Ends the instance by undoing what its steps have done.
 *
 * What is active is withdrawn, except for steps that can be undone: they end first. Then each step
 * that ended with an event of its option `undo` is undone, after everything that it has caused.
 * The status of the instance is `undoing` meanwhile, and `undone` in the end.
 *
 * @example Release what was reserved if the card is declined
 * ```ts
 * import { done, step, type, undo, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const reserve = step("reserve", {
 *   events: { reserved: type<{ hold: string }>() },
 *   run: ({ emit }) => emit.reserved({ hold: "h-1" }),
 *   undo: { reserved: ({ output }) => console.log(`release ${output.hold}`) },
 * });
 * const charge = step("charge", {
 *   events: { charged: type(), declined: type() },
 *   run: ({ emit }) => emit.declined(),
 * });
 * const order = workflow("order", { key: "orderid", input: type(), start: reserve })
 *   .on(reserve, { reserved: charge })
 *   .on(charge, { charged: done, declined: undo })
 *   .build();
 * assertEquals([...order.graph.steps.get("charge")!.undoing], ["declined"]);
 * ```
 */
export const undo: Undo = Object.freeze({ kind: "undo" });

/**
 * Starts `step` once every step that points to it with `join` has arrived.
 *
 * Use it where parallel branches come together. To continue with the first branch that arrives, use
 * {@linkcode first}.
 *
 * @throws {WorkflowDefinitionError} When `step` is not a step.
 *
 * @example Ship when the stock is reserved and the card is charged
 * ```ts
 * import { done, join, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
 * const [reserve, charge, ship] = [work.as("reserve"), work.as("charge"), work.as("ship")];
 * const order = workflow("order", { key: "orderid", input: type(), start: work })
 *   .on(work, { ok: [reserve, charge] })
 *   .on(reserve, { ok: join(ship) })
 *   .on(charge, { ok: join(ship) })
 *   .on(ship, { ok: done })
 *   .build();
 * assertEquals(order.graph.sources("ship"), ["reserve", "charge"]);
 * ```
 */
export function join<S extends Step>(step: S): Join<S> {
  return arrival("join", step);
}

/**
 * Starts `step` at the first arrival and ignores later ones.
 *
 * Use it where several parallel branches may lead to one step. To wait for all of them, use
 * {@linkcode join}.
 *
 * @throws {WorkflowDefinitionError} When `step` is not a step.
 *
 * @example Reject once, when the first branch refuses
 * ```ts
 * import { done, first, step, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const work = step("work", {
 *   events: { ok: type(), refused: type() },
 *   run: ({ emit }) => emit.ok(),
 * });
 * const [reserve, charge, reject] = [work.as("reserve"), work.as("charge"), work.as("reject")];
 * const order = workflow("order", { key: "orderid", input: type(), start: work })
 *   .on(work, { ok: [reserve, charge], refused: done })
 *   .on(reserve, { ok: done, refused: first(reject) })
 *   .on(charge, { ok: done, refused: first(reject) })
 *   .on(reject, { ok: done, refused: done })
 *   .build();
 * assertEquals(order.graph.steps.get("charge")?.moves.get("refused"), [
 *   { to: "reject", mode: "first" },
 * ]);
 * ```
 */
export function first<S extends Step>(step: S): First<S> {
  return arrival("first", step);
}

/**
 * Leads back to an earlier step: `step` and what lies between it and this row run again.
 *
 * There are at most `limit` rounds each time the loop is entered, including the first one. In the
 * last round the event leads to `then`. Without `then`, the instance fails with the code
 * `ROUNDS_USED_UP`.
 *
 * @param options.limit A whole number from 1 to 1,000,000.
 * @throws {WorkflowDefinitionError} When `step` is not a step or `limit` is not such a number.
 *
 * @example Ask three times, then give up
 * ```ts
 * import { again, done, step, timer, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const poll = step("poll", {
 *   events: { ready: type(), notYet: type() },
 *   run: ({ emit }) => emit.notYet(),
 * });
 * const pause = timer("pause", "10s");
 * const giveUp = step("giveUp", { events: { told: type() }, run: ({ emit }) => emit.told() });
 * const report = workflow("report", { key: "id", input: type(), start: poll })
 *   .on(poll, { ready: done, notYet: pause })
 *   .on(pause, { elapsed: again(poll, { limit: 3, then: giveUp }) })
 *   .on(giveUp, { told: done })
 *   .build();
 * assertEquals(report.graph.steps.get("pause")?.loops.get("elapsed"), {
 *   to: "poll",
 *   limit: 3,
 *   ends: false,
 * });
 * ```
 */
export function again<S extends Step, const Then extends Move = never>(
  step: S,
  options: { readonly limit: number; readonly then?: Then },
): Again<S, Then> {
  if (!isStep(step)) {
    throw new WorkflowDefinitionError(`Cannot repeat ${described(step)}: it is not a step`);
  }
  const refuse: Refuse = (why) =>
    new WorkflowDefinitionError(`Cannot repeat "${step.name}": ${why}`);
  if (!isObject(options)) throw refuse("pass the limit: again(step, { limit: 10 })");
  only(options, ["limit", "then"], refuse);
  checkRounds(options, refuse);
  const { limit, then } = options;
  const loop = { kind: "again", step, limit } as const;
  return Object.freeze(then === undefined ? loop : { ...loop, then });
}

/**
 * Withdraws a branch that may still be active: `step` and every step that only `step` leads to.
 *
 * It stands beside a target, or beside {@linkcode done} to end the path. In the same transaction
 * the waits and timers of the branch end, and its steps that run are aborted: what they still
 * return is not recorded. A branch that has ended already is not changed.
 *
 * Use it for a reminder beside a wait, or for one of several branches that race. A delivery to a
 * wait that was dropped throws `NotWaitingError`.
 *
 * @throws {WorkflowDefinitionError} When `step` is not a step.
 *
 * @example Remind after a day, until the link is clicked
 * ```ts
 * import { done, drop, signal, step, timer, type, workflow } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
 * const [invite, remind, activate] = [work.as("invite"), work.as("remind"), work.as("activate")];
 * const clicked = signal("clicked", { events: { yes: type() } });
 * const day = timer("day", "1d");
 * const onboarding = workflow("onboarding", { key: "user", input: type(), start: invite })
 *   .on(invite, { ok: [clicked, day] })
 *   .on(clicked, { yes: [activate, drop(day)] })
 *   .on(day, { elapsed: remind })
 *   .on(remind, { ok: done })
 *   .on(activate, { ok: done })
 *   .build();
 * assertEquals([...onboarding.graph.branch("day")], ["day", "remind"]);
 * ```
 */
export function drop<S extends Step>(step: S): Drop<S> {
  return arrival("drop", step);
}

function arrival<K extends "join" | "first" | "drop", S>(kind: K, step: S): { kind: K; step: S } {
  if (!isStep(step)) {
    throw new WorkflowDefinitionError(`Cannot ${kind} ${described(step)}: it is not a step`);
  }
  return Object.freeze({ kind, step });
}
