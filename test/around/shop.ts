import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import {
  done,
  type Handle,
  type Hephaestus,
  HephaestusError,
  join,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { assertSound } from "../invariants/story.ts";

/** Writes a row that is there once, if the step's transaction committed once. */
const writing = <Name extends string>(name: Name) =>
  step(name, {
    events: { ok: type() },
    run: ({ emit, tx, instance }) =>
      tx(async (sql) => {
        await sql`insert into public.effects (key, step) values (${instance.key}, ${name})`;
        return emit.ok();
      }),
  });
const split = step("split", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const reserve = writing("reserve");
const ship = writing("ship");
/** Fails once, by itself: what the database does must not add to its attempts. */
const flaky = step("flaky", {
  events: { ok: type() },
  retry: { attempts: 3, base: "1ms", max: "5ms" },
  run({ emit, attempt }) {
    if (attempt === 1) throw new Error("not now");
    return emit.ok();
  },
});
const nap = timer("nap", "30ms");
export const approval = signal("approval", { events: { approved: type() } });

/** Of everything a little: a fan-out, a retry, a timer, a wait, and steps that write. */
export const shop = workflow("shop", { key: "id", input: type(), start: split })
  .on(split, { ok: [reserve, flaky] })
  .on(reserve, { ok: join(nap) })
  .on(flaky, { ok: join(nap) })
  .on(nap, { elapsed: approval })
  .on(approval, { approved: ship })
  .on(ship, { ok: done })
  .build();

const attempts = { split: 1, reserve: 1, flaky: 2, nap: 1, approval: 1, ship: 1 };

/** Makes the tables of the engine and of the shop. */
export async function furnish(url: string): Promise<void> {
  const db = connect({ url, max: 1 });
  try {
    await migrate(db, { schema: "hephaestus" });
    await db.query("create table effects (key text, step text)");
  } finally {
    await db.close();
  }
}

/** Calls again while the database is away, as a caller would: starts and deliveries may be repeated. */
async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      assert(error instanceof HephaestusError, `no sentence of ours: ${error}`);
      if (!/^DATABASE_UN/.test(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Starts `count` instances; every other one gets its delivery too early. */
export async function order(
  hephaestus: Hephaestus,
  count: number,
  prefix = "",
): Promise<readonly Handle[]> {
  return await Promise.all(Array.from({ length: count }, async (_, n) => {
    const key = `${prefix}${n}`;
    const handle = await persist(() =>
      hephaestus.start(shop, key, undefined, { onConflict: "return" })
    );
    if (n % 2 === 0) await approve(hephaestus, handle.id);
    return handle;
  }));
}

function approve(hephaestus: Hephaestus, id: string): Promise<unknown> {
  return persist(() => hephaestus.resume(shop, { id }, approval.emit.approved()));
}

/**
 * Approves what still waits and follows every instance to its end: all are complete, each step has the attempts that
 * its own code caused, every write of a step is there once, and no rule is broken. Where sessions are `cut`, a step whose own statement
 * was under way has used up an attempt.
 */
export async function settle(
  hephaestus: Hephaestus,
  sql: Sql,
  handles: readonly Handle[],
  { cut = false }: { readonly cut?: boolean } = {},
): Promise<void> {
  await Promise.all(handles.map(async ({ id }, n) => n % 2 === 1 && await approve(hephaestus, id)));
  for (const handle of handles) {
    const end = await handle.result();
    assertEquals(end.status, "completed", JSON.stringify(end.error));
    const history = await persist(() => hephaestus.history(shop, { id: end.id }));
    const spared = (step: string) => cut && (step === "reserve" || step === "ship");
    const counted = history.map(({ step, attempts }) => [step, spared(step) ? 1 : attempts]);
    assertEquals(Object.fromEntries(counted), attempts);
  }
  const keys = handles.map(({ key }) => key);
  const effects = await sql`
    select key, step from effects where key = any (${keys}) group by 1, 2 having count(*) = 1`;
  assertEquals(effects.length, 2 * handles.length);
  await assertSound(sql);
}
