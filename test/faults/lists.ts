// Steps over lists, for `--flow`. What their histories must say is in `list_checks.ts`.
import { setTimeout as pause } from "node:timers/promises";
import { done, drop, each, FatalError, join, step, timer, type, workflow } from "../../mod.ts";
import { digitOf, input, key, note, plain, retry } from "./steps.ts";

interface Place {
  readonly id: string;
  readonly place: number;
}

/** How many items the lists of an instance have. */
export const lengthOf = ({ id }: { readonly id: string }) => (digitOf({ id }) * 7) % 16;

/** Whether an item fails for good where the others run on. */
export const isBroken = ({ id, place }: Place) => (digitOf({ id }) + place) % 4 === 0;

/** In how many activations an item fails for good: somebody retries it by hand as often. */
const failuresOf = ({ id, place }: Place) =>
  digitOf({ id }) % 3 === 0 || place % 4 !== 1 ? 0 : (place >> 2) % 3;

const count = step("count", {
  events: { ok: type<number>() },
  retry,
  run({ instance, attempt, activation, emit }) {
    note(instance.id, "count", attempt, activation);
    return emit.ok(lengthOf(instance));
  },
});
/** Writes for each item in the transaction of its result; the table accepts it twice. */
const list = <const Name extends string, const On extends "stop" | "continue">(
  name: Name,
  onFailure: On,
  fails: (place: Place, activation: number) => boolean,
) =>
  each(name, {
    needs: [count.when("ok")],
    over: ({ steps }) => Array.from({ length: steps.count }, (_, place) => place),
    limit: 3,
    onFailure,
    events: { ok: type<number>() },
    retry,
    async run({ item: place, index, instance, activation, attempt, tx, emit }) {
      await pause((attempt * 11 + place) % 30);
      if (attempt === 1 && place % 3 === 1) throw new Error("It fails once");
      if (fails({ id: instance.id, place }, activation)) throw new FatalError("It cannot be");
      return tx(async (sql) => {
        await sql`insert into item_effects (instance, step, place)
          values (${instance.id}, ${`${name}[]`}, ${index})`;
        return emit.ok(place);
      });
    },
  });
const sorted = list("sorted", "continue", isBroken);
const packed = list("packed", "stop", (of, activation) => activation <= failuresOf(of));
const summary = step("summary", {
  needs: [sorted.when("finished"), packed.when("finished")],
  events: { ok: type<readonly (readonly number[])[]>() },
  retry,
  run({ instance, attempt, activation, steps, emit }) {
    note(instance.id, "summary", attempt, activation);
    return emit.ok([
      steps.sorted.map((one) => one.event === "ok" ? one.output : -1),
      steps.packed.map((one) => one.output),
    ]);
  },
});
/** Two lists beside each other. Of one, some items fail until somebody has retried it by hand. */
export const batch = workflow("batch", { key, input, start: count })
  .on(count, { ok: [sorted, packed] })
  .on(sorted, { finished: join(summary) })
  .on(packed, { finished: join(summary) })
  .on(summary, { ok: done })
  .returns({ summed: summary.when("ok") })
  .build();

const hurried = list("hurried", "stop", () => false);
const patience = timer("patience", "120ms");
const early = plain("early");
const late = plain("late");
/** A list and a timer drop each other. */
export const rush = workflow("rush", { key, input, start: count })
  .on(count, { ok: [hurried, patience] })
  .on(hurried, { finished: [early, drop(patience)] })
  .on(patience, { elapsed: [late, drop(hurried)] })
  .on(early, { ok: done })
  .on(late, { ok: done })
  .returns({ early: early.when("ok"), late: late.when("ok") })
  .build();
