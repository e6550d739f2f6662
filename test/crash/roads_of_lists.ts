import { done, each, FatalError, step, type, workflow } from "../../mod.ts";

const list = <const Name extends string>(name: Name, isFatal: boolean) =>
  each(name, {
    over: () => [0, 1, 2],
    limit: 2,
    events: { ok: type<number>() },
    retry: { attempts: 50, base: "1ms", max: "5ms" },
    run({ item, activation, tx, instance, emit }) {
      if (isFatal && activation === 1 && item === 1) throw new FatalError("By hand only");
      return tx(async (sql) => {
        await sql`insert into effects (key, step) values (${instance.key}, ${`${name} ${item}`})`;
        return emit.ok(item);
      });
    },
  });
const packed = list("packed", false);
const bound = step("bound", {
  needs: [packed.when("finished")],
  events: { ok: type<readonly number[]>() },
  run: ({ steps, emit }) => emit.ok(steps.packed.map(({ output }) => output)),
});
/** Has three items, two of which run at once. */
export const listing = workflow("listing", { key: "id", input: type(), start: packed })
  .on(packed, { finished: bound })
  .on(bound, { ok: done })
  .returns({ bound: bound.when("ok") })
  .build();

const mended = list("mended", true);
/** Has an item that fails until somebody has retried it by hand. */
export const mending = workflow("mending", { key: "id", input: type(), start: mended })
  .on(mended, { finished: done })
  .build();
