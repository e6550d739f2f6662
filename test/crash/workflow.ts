import { done, join, step, timer, type, workflow } from "../../mod.ts";

const pause = (milliseconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/** Takes a little, so that a kill meets it in the middle. */
const reserve = step("reserve", {
  input: type<{ readonly takes: number }>(),
  events: { ok: type<number>() },
  async run({ input, attempt, abortSignal, tx, instance, emit }) {
    await pause(input.takes, abortSignal);
    return tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'reserve')`;
      return emit.ok(attempt);
    });
  },
});
const split = step("split", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const weigh = step("weigh", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const nap = timer("nap", "100ms");
const ship = step("ship", {
  events: { ok: type() },
  run: ({ tx, instance, emit }) =>
    tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'ship')`;
      return emit.ok();
    }),
});

export const crashing = workflow("crashing", {
  key: "id",
  input: type<{ readonly takes: number }>(),
  start: split,
})
  .on(split, { ok: [reserve, weigh] })
  .on(reserve, { ok: join(nap) })
  .on(weigh, { ok: join(nap) })
  .on(nap, { elapsed: ship })
  .on(ship, { ok: done })
  .build();
