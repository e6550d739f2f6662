//! One mistake to a line, each under its name; mistakes.txt says what the compiler answers.
import { child } from "../../src/core/child/child.ts";
import { choice } from "../../src/core/define/choice.ts";
import { signal, timer } from "../../src/core/define/signal.ts";
import { step } from "../../src/core/define/step.ts";
import { again, done, drop, first, join, undo } from "../../src/core/define/target.ts";
import { type } from "../../src/core/value/type.ts";
import { versioned } from "../../src/core/graph/version.ts";
import { workflow } from "../../src/core/graph/builder.ts";
import type { Hephaestus } from "../../src/hephaestus.ts";
import * as v from "valibot";
import { z } from "zod";
import { asking, defaulted } from "./schemas.ts";
import { approval, charge, order, type Order, reject, reserve, ship, validate } from "./flows.ts";

declare const hephaestus: Hephaestus;
const base = () => workflow("order", { key: "orderid", input: type<Order>(), start: validate });
const forked = () => base().on(validate, { valid: [reserve, charge], invalid: reject });
const single = () => base().on(validate, { valid: charge, invalid: reject });
const ok = { ok: type() };
const x = step("x", { events: ok, run: ({ emit }) => emit.ok() });
const reads = step("reads", { needs: [reserve.when("reserved")], events: ok, run: ({ emit }) => emit.ok() });
const peeks = step("peeks", { sees: [ship.outcome()], events: ok, run: ({ emit }) => emit.ok() });
const ends = step("ends", { needs: [charge.outcome()], events: ok, run: ({ emit }) => emit.ok() });
const dunning = step("dunning", { needs: [charge.when("failed")], events: ok, run: ({ emit }) => emit.ok() });
const looks = step("looks", { sees: [charge.outcome()], events: ok, run: ({ emit }) => emit.ok() });
const early = step("early", { needs: [charge.when("charged")], events: ok, run: ({ emit }) => emit.ok() });
const takes = step("takes", { rounds: type<number>(), events: { ok: type<number>(), no: type<string>() }, run: ({ emit }) => emit.ok(1) });
const gathers = step("gathers", { needs: [validate.every("valid")], events: ok, run: ({ emit }) => emit.ok() });
const texts = step("texts", { events: ok as Record<string, typeof ok.ok>, run: ({ emit }) => emit.ok!() });
const named = (name: string) => step(name, { events: { sent: type() }, run: ({ emit }) => emit.sent() });
const remind = (name: "remind1" | "remind2") => step(name, { events: { sent: type() }, run: ({ emit }) => emit.sent() });
const [remind1, remind2] = [remind("remind1"), remind("remind2")];
const limited = signal("limited", { events: ok, expires: () => "1d" });
declare const bought: Order;
const returning = single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({ paid: charge.when("charged"), declined: charge.when("declined"), rejected: reject.when("rejected") }).build();
const paying = child("paying", returning, { input: type<Order>(), with: ({ input }) => input });
const pays = () => workflow("pays", { key: "id", input: type<Order>(), start: paying });
const other = workflow("other", { key: "id", input: type(), start: x }).on(x, { ok: done }).build();

// an event that the engine emits
step("y", { events: { ok: type(), failed: type() }, run: ({ emit }) => emit.ok() });
// an event of a signal that the engine emits
signal("y", { events: { failed: type() } });
// a road for the failure of a wait
workflow("w", { key: "w", input: type(), start: approval }).on(approval, { approved: done, refused: done, expired: done, failed: done });
// an outcome behind a failure
single().on(charge, { charged: ends, declined: ends, failed: ends }).on(ends, { ok: done });
// a failure that another event leads past
single().on(charge, { charged: dunning, declined: done, failed: dunning }).on(dunning, { ok: done });
// a failure without a road
single().on(charge, { charged: dunning, declined: done }).on(dunning, { ok: done });
// a road for a failure that leads to the beginning
single().on(charge, { charged: done, declined: done, failed: validate });
// a loop to a step that comes later
single().on(charge, { charged: again(ship, { limit: 2 }), declined: done });
// a loop to a step that has not ended on every path
base().on(validate, { valid: [reserve, charge], invalid: done }).on(reserve, { reserved: done, soldOut: done }).on(charge, { charged: again(reserve, { limit: 2 }), declined: done });
// a loop beside another target
single().on(charge, { charged: [again(validate, { limit: 2 }), ship], declined: done });
// a loop that leads back up after its last round
single().on(charge, { charged: again(validate, { limit: 2, then: charge }), declined: done });
// a loop that does not carry what its first step takes back
workflow("w", { key: "w", input: type(), start: takes }).on(takes, { ok: again(takes, { limit: 2 }), no: again(takes, { limit: 2, then: done }) });
// a branch that is dropped alone
forked().on(reserve, { reserved: drop(charge), soldOut: done });
// a branch that is dropped alone in a list
forked().on(reserve, { reserved: [drop(charge)], soldOut: done });
// a branch that is dropped beside done and a target
forked().on(reserve, { reserved: [done, ship, drop(charge)], soldOut: done });
// a branch that the event leads to and drops
forked().on(reserve, { reserved: [ship, drop(ship)], soldOut: done });
// a branch that no row above leads to
forked().on(reserve, { reserved: [done, drop(ship)], soldOut: done });
// a branch that the step comes from
forked().on(reserve, { reserved: [done, drop(validate)], soldOut: done });
// a branch that begins with the step itself
forked().on(reserve, { reserved: [done, drop(reserve)], soldOut: done });
// undo beside a target
single().on(charge, { charged: [undo, ship], declined: done });
// undo beside a branch that is dropped
forked().on(reserve, { reserved: [undo, drop(charge)], soldOut: done });
// undo of an event that is not declared
step("y", { events: ok, run: ({ emit }) => emit.ok(), undo: { okay: () => {} } });
// undo of another output
step("y", { events: { ok: type<{ id: string }>() }, run: ({ emit }) => emit.ok({ id: "1" }), undo: { ok: ({ output }) => void output.hold } });
// undo that returns a value
step("y", { events: ok, run: ({ emit }) => emit.ok(), undo: { ok: () => 1 } });
// a choice that can be undone
choice("y", { events: ok, decide: ({ emit }) => emit.ok(), undo: { ok: () => {} } });
// undoing before an end that is none
workflow("w", { key: "w", input: type(), start: x, undoOn: ["completed"] });
// a need of every round
single().on(charge, { charged: gathers, declined: done }).on(gathers, { ok: done });
// every round of an event that there is not
step("all", { sees: [validate.every("vaild")], events: ok, run: ({ emit }) => emit.ok() });
// a delivery for an activation that is not a number
approval.emit.approved({ by: "maria" }, { activation: "1" });
// a loop without a limit
single().on(charge, { charged: again(validate), declined: done });
// a need that only the last round guarantees
single().on(charge, { charged: again(validate, { limit: 2, then: ends }), declined: ends, failed: ends }).on(ends, { ok: done });
// an event without a transition
base().on(validate, { valid: [reserve, charge] });
// a forgotten event, and a row below that is right
base().on(validate, { valid: charge }).on(charge, { charged: done, declined: done }).build();
// two forgotten events
base().on(validate, {});
// a transition without an event
base().on(validate, { valid: charge, invalid: reject, vaild: reject });
// a target that does not exist
base().on(validate, { valid: chrage, invalid: reject });
// a target that is not a step
base().on(validate, { valid: "charge", invalid: reject });
// done among several targets
base().on(validate, { valid: [charge, done], invalid: reject });
// done among several targets, and a row below that is right
base().on(validate, { valid: [charge, done], invalid: done }).on(charge, { charged: done, declined: done }).build();
// a target twice
base().on(validate, { valid: [charge, charge], invalid: reject });
// a workflow as a target
base().on(validate, { valid: other, invalid: reject });
// a target that was never imported, and a row below that is right
base().on(validate, { valid: chrage, invalid: reject }).on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).build();
// no target at all
base().on(validate, { valid: [], invalid: reject });
// a row before the step is a target
single().on(ship, { shipped: done });
// a first row that is not the start
base().on(charge, { charged: done, declined: done });
// a transition back up
single().on(charge, { charged: validate, declined: reject });
// a join back up
single().on(charge, { charged: join(validate), declined: reject });
// a transition to itself
base().on(validate, { valid: validate, invalid: reject });
// a step without a row
single().on(charge, { charged: done, declined: reject }).build();
// a row twice
single().on(validate, { valid: charge, invalid: reject });
// a join forgotten, so that a need is not met
forked().on(reserve, { reserved: ship, soldOut: first(reject) }).on(charge, { charged: ship, declined: first(reject) }).on(ship, { shipped: done });
// a need of the wrong event
forked().on(reserve, { reserved: join(ship), soldOut: first(reject) }).on(charge, { charged: reject, declined: join(ship) }).on(ship, { shipped: done });
// a need that only one of two first arrivals brings
forked().on(reserve, { reserved: first(reads), soldOut: reject }).on(charge, { charged: first(reads), declined: reject }).on(reads, { ok: done });
// a need of an outcome on a path past the step
base().on(validate, { valid: charge, invalid: ends }).on(charge, { charged: ends, declined: ends }).on(ends, { ok: done });
// a look at a step that comes later
single().on(charge, { charged: peeks, declined: reject }).on(peeks, { ok: ship });
// a look at a parallel branch
forked().on(reserve, { reserved: looks, soldOut: first(reject) }).on(charge, { charged: done, declined: first(reject) }).on(looks, { ok: done }).on(reject, { rejected: done }).build();
// a need of a step that comes later
base().on(validate, { valid: early, invalid: reject }).on(early, { ok: charge });
// the events of a step as a list of texts
workflow("w", { key: "w", input: type(), start: texts }).on(texts, { ok: done });
// a step of a helper for several names
workflow("w", { key: "w", input: type(), start: x }).on(x, { ok: remind1 }).on(remind1, { sent: remind2 }).on(remind2, { sent: done }).build();
// a step of a helper for several names that runs first
workflow("w", { key: "w", input: type(), start: remind1 }).on(remind1, { sent: remind2 }).on(remind2, { sent: done }).build();
// two steps of a helper for several names
workflow("w", { key: "w", input: type(), start: x }).on(x, { ok: [remind1, remind2] }).on(remind1, { sent: done }).on(remind2, { sent: done }).build();
// a step of a helper for any name
workflow("w", { key: "w", input: type(), start: x }).on(x, { ok: join(named("a")) });
// another input than the workflow has
workflow("w", { key: "w", input: type<{ a: 1 }>(), start: validate }).on(validate, { valid: done, invalid: done });
// an outcome with the wrong output
step("y", { events: { ok: type<{ total: number }>() }, run: ({ emit }) => emit.ok({ totl: 3 }) });
// an outcome without its output
step("y", { events: { ok: type<{ total: number }>() }, run: ({ emit }) => emit.ok() });
// an event that is not declared
step("y", { events: { ok: type<{ total: number }>() }, run: ({ emit }) => emit.okay({ total: 3 }) });
// a choice of an event that is not declared
choice("y", { events: ok, decide: ({ emit }) => emit.okay() });
// a choice that does not decide at once
choice("y", { events: ok, decide: async ({ emit }) => await emit.ok() });
// the output of a step that is not needed
step("y", { needs: [validate.when("valid")], events: ok, run: ({ emit, steps }) => steps.charge ? emit.ok() : emit.ok() });
// the output of a step that is only seen
step("y", { sees: [charge.when("charged")], events: ok, run: ({ emit, seen }) => seen.charge.receipt ? emit.ok() : emit.ok() });
// a need of an event that is not declared
step("y", { needs: [validate.when("vaild")], events: ok, run: ({ emit }) => emit.ok() });
// waiting without being asynchronous
step("y", { events: ok, run: ({ emit }) => emit.later() });
// a value that JSON cannot represent
type<{ at: Date }>();
// a value that is none that JSON can carry
type<bigint>();
// a function as a value
type<() => void>();
// a list of values that JSON cannot represent
type<Map<string, string>[]>();
// a schema that puts out what JSON cannot represent, as an event
step("y", { events: { ok: z.coerce.date() }, run: ({ emit }) => emit.ok(new Date()) });
// a schema that puts it out deep inside
signal("y", { events: { ok: z.object({ items: z.array(z.object({ at: z.date() })) }) } });
// a choice whose schema puts it out
choice("y", { events: { ok: v.object({ big: v.bigint() }), no: type() }, decide: ({ emit }) => emit.no() });
// a schema that puts it out, as an input
workflow("w", { key: "w", input: z.object({ at: z.coerce.date() }), start: x });
// a schema that puts it out, as the input of a step
step("y", { input: z.object({ at: z.coerce.date() }), events: ok, run: ({ emit }) => emit.ok() });
// what a schema takes is not there
defaulted.emit.asked({});
// what a schema puts out instead of what it takes
defaulted.emit.asked({ by: "maria", age: 3 });
// a value that JSON cannot represent, deep inside
type<{ items: readonly { readonly price: bigint }[] }>();
// a duration without a unit that exists
timer("y", "3 weeks");
// a duration without a unit
timer("y", 7);
// a computed duration without a unit
timer("y", { after: () => 7 });
// a computed duration that is any text
timer("y", { needs: [reserve.when("reserved")], after: ({ steps }) => steps.reserve.hold });
// a time that is computed asynchronously
step("y", { events: ok, deadline: async () => "1d", run: ({ emit }) => emit.ok() });
// a time that reads what its step does not need
signal("y", { events: ok, expires: ({ steps }) => new Date(steps.reserve.hold) });
// a time that reads an input of which nothing is known
timer("y", { after: ({ input }) => new Date(input.at) });
// a timer that reads what is not guaranteed
single().on(charge, { charged: timer("y", { needs: [reserve.when("reserved")], after: "1d" }), declined: done }).on(timer("y", { needs: [reserve.when("reserved")], after: "1d" }), { elapsed: done });
// a wait with a computed limit whose end leads nowhere
workflow("w", { key: "w", input: type(), start: limited }).on(limited, { ok: done });
// a deadline without a unit
workflow("w", { key: "w", input: type(), start: x, deadline: 600 });
// a deadline that reads what the input does not have
workflow("w", { key: "w", input: type<Order>(), start: x, deadline: ({ input }) => input.deadline });
// a limit without a unit
signal("y", { events: ok, expires: 7 });
// a time limit without a unit
step("y", { events: ok, timeout: 30_000, run: ({ emit }) => emit.ok() });
// a delay without a unit
step("y", { events: ok, retry: { base: 500 }, run: ({ emit }) => emit.ok() });
// a wait with a limit whose end leads nowhere
workflow("w", { key: "w", input: type(), start: approval }).on(approval, { approved: done, refused: done });
// the end of a wait from outside
approval.emit.expired();
// a delivery with the wrong output
approval.emit.approved({ buy: "maria" });
// a delivery of another workflow
hephaestus.resume(other, "k", approval.emit.approved({ by: "maria" }));
// a delivery of another workflow, later
hephaestus.scheduleResume(other, "k", approval.emit.approved({ by: "maria" }), { after: "1d" });
// a delivery of another workflow that has a signal too
hephaestus.resume(asking, "k", approval.emit.approved({ by: "maria" }));
// a delivery whose signal has other events in this workflow
hephaestus.resume(order, "k", signal("approval", { events: { granted: type() } }).emit.granted());
// a delivery whose signal has another output in this workflow
hephaestus.resume(order, "k", signal("approval", { events: { approved: type<number>() } }).emit.approved(3));
// a start without a member that has no default
hephaestus.start(asking, "k", {});
// a delivery to a step
charge.emit.charged({ receipt: "r" });
// a signal that sees
signal("y", { sees: [validate.when("valid")], events: ok });
// a version that does not exist
versioned("order", { versions: { 1: order }, current: 3 });
// a version of another workflow
versioned("order", { versions: { 1: order, 2: other }, current: 1 });
// a choice without events
choice("y", { events: {}, decide: ({ emit }) => emit });
// a return that was forgotten
step("y", { events: ok, run: ({ emit }) => { emit.ok(); } });
// a return that was forgotten, later
step("y", { events: ok, run: async ({ emit }) => { emit.ok(); } });
// an outcome of another step
step("y", { events: ok, run: async () => ({ event: "no", output: undefined }) as const });
// an option that does not exist
step("y", { events: ok, retries: 5, run: ({ emit }) => emit.ok() });
// a retry policy with a word of its own
step("y", { events: ok, retry: { backoff: "quadratic" }, run: ({ emit }) => emit.ok() });
// a join of something else
join("ship");
// a workflow that returns a step of another one
single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({ shipped: ship.when("shipped") });
// a workflow that returns under the name of a status
single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({ failed: charge.when("declined") });
// a workflow that returns more than one event under a name
single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({ paid: charge.outcome() });
// a workflow that returns a step instead of its event
single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({ paid: charge });
// a workflow that returns nothing under no name
single().on(charge, { charged: done, declined: done }).on(reject, { rejected: done }).returns({});
// a workflow that returns before its last row
single().on(charge, { charged: done, declined: done }).returns({ paid: charge.when("charged") });
// an output without a look at the outcome
hephaestus.start(returning, "k", bought).then((handle) => handle.result()).then(({ output }) => output.receipt);
// a child that is given another input
child("other", returning, { with: () => ({ total: "much" }) });
// a child without a target for what it returns
pays().on(paying, { paid: done, declined: done });
// a child with a target for what it does not return
pays().on(paying, { paid: done, declined: done, rejected: done, completed: done });
// a delivery to a child
paying.emit.paid();
