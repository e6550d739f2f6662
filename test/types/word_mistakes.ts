//! One mistake to a line, each under its name, of the words for lists, children and acts by hand.
import { child } from "../../src/core/child/child.ts";
import { done, undo } from "../../src/core/define/target.ts";
import { each } from "../../src/core/each/each.ts";
import { step } from "../../src/core/define/step.ts";
import { type } from "../../src/core/value/type.ts";
import { workflow } from "../../src/core/graph/builder.ts";
import type { Hephaestus } from "../../src/hephaestus.ts";
import { charge, order, type Order, reserve, validate } from "./flows.ts";

declare const hephaestus: Hephaestus;
const ok = { ok: type() };
const pages = step("pages", { events: { found: type<{ pages: string[] }>(), none: type() }, run: ({ emit }) => emit.none() });
const render = each("render", { needs: [pages.when("found")], over: ({ steps }) => steps.pages.pages, events: { rendered: type<{ url: string }>() }, run: ({ item, emit }) => emit.rendered({ url: item }) });
const listed = () => workflow("listed", { key: "id", input: type<Order>(), start: pages });
const stops = step("stops", { needs: [render.when("finished")], events: ok, run: ({ emit }) => emit.ok() });
const broken = step("broken", { needs: [render.when("failed")], events: ok, run: ({ emit }) => emit.ok() });

// a list that emits
each("y", { over: ({ emit }) => [emit], events: ok, run: ({ emit }) => emit.ok() });
// a list of a step that is not needed
each("y", { needs: [pages.when("found")], over: ({ steps }) => [steps.charge.receipt], events: ok, run: ({ emit }) => emit.ok() });
// a list of an input of which nothing is known
each("y", { over: ({ input }) => input.items, events: ok, run: ({ emit }) => emit.ok() });
// a list that is none
each("y", { input: type<Order>(), over: ({ input }) => input.items.length, events: ok, run: ({ emit }) => emit.ok() });
// a list that is listed asynchronously
each("y", { input: type<Order>(), over: async ({ input }) => input.items, events: ok, run: ({ emit }) => emit.ok() });
// an event of an item that the engine emits
each("y", { over: () => [1], events: { ok: type(), failed: type() }, run: ({ emit }) => emit.ok() });
// an item read as another type
each("y", { over: () => ["a"], events: { ok: type<number>() }, run: ({ item, emit }) => emit.ok(item) });
// an item that is not declared to end so
each("y", { over: () => [1], events: ok, run: ({ emit }) => emit.okay() });
// an item that waits
each("y", { over: () => [1], events: ok, run: ({ emit }) => emit.later() });
// an item that adds metadata
each("y", { over: () => [1], events: ok, run: ({ emit }) => emit.ok(undefined, { metadata: { a: 1 } }) });
// a return of an item that was forgotten
each("y", { over: () => [1], events: ok, run: ({ emit }) => { emit.ok(); } });
// items that can be undone
each("y", { over: () => [1], events: ok, run: ({ emit }) => emit.ok(), undo: { ok: () => {} } });
// items that see
each("y", { sees: [pages.when("found")], over: () => [1], events: ok, run: ({ emit }) => emit.ok() });
// a word for failed items that does not exist
each("y", { over: () => [1], onFailure: "ignore", events: ok, run: ({ emit }) => emit.ok() });
// a list without a target for its end
listed().on(pages, { found: render, none: done }).on(render, {});
// a list with a target for an event of its items
listed().on(pages, { found: render, none: done }).on(render, { finished: done, rendered: done });
// a list whose need is not guaranteed
listed().on(pages, { found: done, none: render }).on(render, { finished: done });
// a failure of a list without a road
listed().on(pages, { found: render, none: done }).on(render, { finished: broken }).on(broken, { ok: done });
// an outcome of a failed item where a failure stops the list
step("y", { needs: [render.when("finished")], events: ok, run: ({ steps, emit }) => steps.render.some(({ event }) => event === "failed") ? emit.ok() : emit.ok() });
// an outcome of an item read without a look at its event
step("y", { needs: [each("many", { over: () => [1], onFailure: "continue", events: { rendered: type<{ url: string }>() }, run: ({ emit }) => emit.rendered({ url: "" }) }).when("finished")], events: { ok: type<string>() }, run: ({ steps, emit }) => emit.ok(steps.many[0]!.output.url) });
// a need of an event of an item
step("y", { needs: [render.when("rendered")], events: ok, run: ({ emit }) => emit.ok() });
// undo of what a list has done, past the end of the row
listed().on(pages, { found: render, none: done }).on(render, { finished: [undo, stops] });
// a child of what is no workflow
child("y", "order", { with: () => undefined });
// a child without what its workflow takes
child("y", order, {});
// a rewind to an outcome of another step
hephaestus.rewind(order, "k", { to: charge, outcome: { event: "valid", output: { total: 3 } } });
// a rewind to an output of another type
hephaestus.rewind(order, "k", { to: charge, outcome: { event: "charged", output: { receipt: 3 } } });
// a rewind to an outcome without its output
hephaestus.rewind(order, "k", { to: reserve, outcome: { event: "reserved" } });
// a rewind to a failure
hephaestus.rewind(order, "k", { to: charge, outcome: { event: "failed", output: undefined } });
// a rewind to a name
hephaestus.rewind(order, "k", { to: "charge" });
// a rewind to nowhere
hephaestus.rewind(order, "k", { by: "maria" });
// a fork with an outcome of another step
hephaestus.fork(order, "k", { from: charge, key: "l", outcome: { event: "reserved", output: { hold: "h" } } });
// a fork with an output of another type
hephaestus.fork(order, "k", { from: validate, key: "l", outcome: { event: "valid", output: { total: "3" } } });
// a fork without a key
hephaestus.fork(order, "k", { from: charge });
