//! One mistake to a line, each under its name; mistakes.txt says what the compiler answers.
import { choice } from "../../src/core/choice.ts";
import { signal, timer } from "../../src/core/signal.ts";
import { step } from "../../src/core/step.ts";
import { done, first, join } from "../../src/core/target.ts";
import { type } from "../../src/core/type.ts";
import { versioned } from "../../src/core/version.ts";
import { workflow } from "../../src/core/workflow.ts";
import { approval, charge, order, type Order, reject, reserve, ship, validate } from "./flows.ts";

const base = () => workflow("order", { key: "orderid", input: type<Order>(), start: validate });
const forked = () => base().on(validate, { valid: [reserve, charge], invalid: reject });
const single = () => base().on(validate, { valid: charge, invalid: reject });
const ok = { ok: type() };
const x = step("x", { events: ok, run: ({ emit }) => emit.ok() });
const reads = step("reads", { needs: [reserve.when("reserved")], events: ok, run: ({ emit }) => emit.ok() });
const peeks = step("peeks", { sees: [ship.outcome()], events: ok, run: ({ emit }) => emit.ok() });
const ends = step("ends", { needs: [charge.outcome()], events: ok, run: ({ emit }) => emit.ok() });
const other = workflow("other", { key: "id", input: type(), start: x }).on(x, { ok: done }).build();

// an event without a transition
base().on(validate, { valid: [reserve, charge] });
// a transition without an event
base().on(validate, { valid: charge, invalid: reject, vaild: reject });
// a target that does not exist
base().on(validate, { valid: chrage, invalid: reject });
// a target that is not a step
base().on(validate, { valid: "charge", invalid: reject });
// done among several targets
base().on(validate, { valid: [charge, done], invalid: reject });
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
// a need of an outcome on a road past the step
base().on(validate, { valid: charge, invalid: ends }).on(charge, { charged: ends, declined: ends }).on(ends, { ok: done });
// a look at a step that comes later
single().on(charge, { charged: peeks, declined: reject }).on(peeks, { ok: ship });
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
// a value that JSON cannot carry
type<{ at: Date }>();
// a value that JSON cannot carry, deep inside
type<{ items: readonly { readonly price: bigint }[] }>();
// a duration without a unit that exists
timer("y", "3 weeks");
// a wait with a limit whose end leads nowhere
workflow("w", { key: "w", input: type(), start: approval }).on(approval, { approved: done, refused: done });
// the end of a wait from outside
approval.emit.expired();
// a delivery with the wrong output
approval.emit.approved({ buy: "maria" });
// a delivery to a step
charge.emit.charged({ receipt: "r" });
// a signal with needs
signal("y", { needs: [validate.when("valid")], events: ok });
// a version that does not exist
versioned("order", { versions: { 1: order }, current: 3 });
// a version of another workflow
versioned("order", { versions: { 1: order, 2: other }, current: 1 });
// a retry policy with a word of its own
step("y", { events: ok, retry: { backoff: "quadratic" }, run: ({ emit }) => emit.ok() });
// a join of something else
join("ship");
