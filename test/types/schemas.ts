// Schemas of strangers: a start and an emit take what they take, a step gets what they put out.
import * as v from "valibot";
import { z } from "zod";
import { choice } from "../../src/core/define/choice.ts";
import type { Delivery, StepEvents } from "../../src/core/define/emit.ts";
import type { Json } from "../../src/core/value/json.ts";
import { signal } from "../../src/core/define/signal.ts";
import type { Need } from "../../src/core/define/step_definition.ts";
import { step } from "../../src/core/define/step.ts";
import { done } from "../../src/core/define/target.ts";
import { type Type, type } from "../../src/core/value/type.ts";
import { versioned } from "../../src/core/graph/version.ts";
import type { DeliveryOf, InputOf } from "../../src/core/graph/workflow.ts";
import { workflow } from "../../src/core/graph/builder.ts";
import type { Hephaestus } from "../../src/hephaestus.ts";
import { type Equal, expect } from "./flows.ts";

declare const hephaestus: Hephaestus;

/** `age` is a text that becomes a number, `by` has a default. */
const answer = z.object({
  by: z.string().default("nobody"),
  age: z.string().transform((text) => Number(text)),
});
const order = v.object({ n: v.optional(v.number(), 1), tags: v.array(v.string()) });

export const defaulted = signal("defaulted", { events: { asked: answer, left: type() } });
const count = step("count", {
  input: order,
  needs: [defaulted.when("asked")],
  events: { counted: z.object({ total: z.number().default(0) }), odd: v.optional(v.number(), 3) },
  run({ input, steps, emit, tx }) {
    expect<Equal<typeof input, { n: number; tags: string[] }>>();
    expect<Equal<typeof steps.defaulted, { by: string; age: number }>>();
    if (input.n > 3) return emit.odd();
    return input.n > 2 ? emit.counted({}) : tx(() => emit.counted({ total: input.n }));
  },
});
const settle = choice("settle", {
  needs: [count.outcome()],
  events: { over: z.number().default(4) },
  decide({ steps, emit }) {
    if (steps.count.event === "counted") expect<Equal<typeof steps.count.output.total, number>>();
    return steps.count.event === "odd" ? emit.over() : emit.over(steps.count.output.total);
  },
});
export const asking = workflow("asking", { key: "id", input: order, start: defaulted })
  .on(defaulted, { asked: count, left: done })
  .on(count, { counted: settle, odd: settle })
  .on(settle, { over: done })
  .build();

expect<Equal<InputOf<typeof asking>, { n?: number | undefined; tags: string[] }>>();
expect<
  Equal<
    DeliveryOf<typeof asking>,
    | Delivery<"defaulted", "asked", { by?: string | undefined; age: string }>
    | Delivery<"defaulted", "left", undefined>
  >
>();
expect<Equal<ReturnType<typeof settle.when<"over">>, Need<"settle", "over", number>>>();

export async function talk(): Promise<void> {
  const handle = await hephaestus.start(asking, "k", { tags: [] });
  const { input } = await handle.result();
  expect<Equal<typeof input, { n: number; tags: string[] }>>();
  await hephaestus.startMany(asking, [{ key: "k", input: { tags: ["a"], n: 2 } }]);
  await hephaestus.resume(asking, "k", defaulted.emit.asked({ age: "7" }));
  const both = versioned("asking", { versions: { 1: asking, 2: asking }, current: 2 });
  await hephaestus.start(both, "k", { tags: [] });
  const { left, asked } = defaulted.emit;
  await hephaestus.resume(both, "k", Math.random() > 0 ? left() : asked({ age: "7" }));
}

// What is only known to be something is checked when it is stored.
export const loose = step("loose", {
  input: type<Record<string, unknown>>(),
  events: {
    ...{ a: type<unknown>(), b: type<{ data: unknown }>(), c: type<Json>() },
    ...{ d: z.unknown(), e: z.any() },
  },
  run: ({ input, emit }) => input["x"] === undefined ? emit.b({ data: 3 }) : emit.a(input),
});
// A schema that takes more than JSON may put out what JSON carries.
export const dated = step("dated", {
  events: { at: z.date().transform((date) => date.toISOString()), n: z.coerce.number() },
  run: ({ emit }) => Math.random() > 0 ? emit.at(new Date()) : emit.n("7"),
});
// Helpers that are generic in the name, in the output, in the events.
export const remind = <const Name extends string>(name: Name) =>
  step(name, { events: { sent: type() }, run: ({ emit }) => emit.sent() });
export const ask = <const Name extends string, T>(name: Name, of: Type<T>) =>
  signal(name, { events: { answered: of } });
export const later = <const Name extends string, E extends StepEvents>(name: Name, events: E) =>
  step(name, { async: true, events, run: ({ emit }) => emit.later() });
const [one, two, three] = [
  remind("one"),
  ask("two", type<number>()),
  later("three", { ok: type() }),
];
export const helped = workflow("helped", { key: "id", input: type(), start: one })
  .on(one, { sent: two })
  .on(two, { answered: three })
  .on(three, { ok: done })
  .build();
