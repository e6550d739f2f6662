import postgres, { type Sql } from "postgres";
import type { Handle, Hephaestus } from "../../mod.ts";
import { UsageError } from "./arguments.ts";
import type { Data } from "./load.ts";
import type { Order } from "./order.ts";
import { areThere, create, drop } from "./tables.ts";
import { order } from "./workflow.ts";

// Keys of advisory locks. Every process at work shares the first lock.
const working = 0x5348_4f50;
const opening = working + 1;

const batch = 20;

/**
 * The shop's side of a run: its tables, which survive a killed run and are found by the next one.
 */
export class Shop {
  readonly sql: Sql;
  /**
   * A connection that stays open. It holds a lock, which is released when the process is killed.
   */
  readonly #presence: Sql;

  constructor(url: string) {
    this.sql = postgres(url, { max: 4, onnotice: () => {} });
    this.#presence = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {} });
  }

  /**
   * Opens the shop as the last run left it, or creates a new one. Returns how many orders it has
   * already taken in.
   */
  async open(data: Data, { fresh }: { readonly fresh: boolean }): Promise<number> {
    if (fresh) await this.#clear();
    await this.#presence`select pg_advisory_lock_shared(${working})`;
    return await this.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${opening})`;
      if (!(await areThere(tx))) await create(tx, data);
      const [run] = await tx<{ directory: string; digest: string; known: number }[]>`
        select directory, digest, (select count(*)::int from shop.orders) as known from shop.run`;
      if (run!.digest === data.digest) return run!.known;
      throw new UsageError(
        `Cannot continue with "${data.directory}": ` +
          `the run was begun with "${run!.directory}", start over with --fresh`,
      );
    });
  }

  async #clear(): Promise<void> {
    if (!(await this.isAlone())) {
      throw new UsageError("Cannot start over: another run is processing these orders");
    }
    if (await areThere(this.sql)) await drop(this.sql);
    await this.#presence`select pg_advisory_unlock(${working})`;
  }

  /**
   * Takes in the orders. The row of an order and the instance of its workflow commit together or
   * not at all, so an order from an earlier run is never started again.
   */
  async *takeIn(
    hephaestus: Hephaestus,
    orders: readonly Order[],
  ): AsyncGenerator<Handle> {
    for (let from = 0; from < orders.length; from += batch) {
      const some = orders.slice(from, from + batch);
      const started = await this.sql.begin(async (tx) => {
        const started = new Map<string, Handle>();
        for (const each of some) {
          const [taken] = await tx`
            insert into shop.orders (id) values (${each.id}) on conflict do nothing returning id`;
          if (!taken) continue;
          started.set(each.id, await hephaestus.start(order, each.id, each, { tx }));
        }
        return started;
      });
      for (const { id } of some) {
        yield started.get(id) ?? (await hephaestus.handle(order, id))!;
      }
    }
  }

  /** Whether no other run works on these orders. If so, none can start before this process ends. */
  async isAlone(): Promise<boolean> {
    try {
      const [row] = await this.#presence`select pg_try_advisory_lock(${working}) as alone`;
      return row!["alone"];
    } catch {
      return false;
    }
  }

  drop(): Promise<void> {
    return drop(this.sql);
  }

  async close(): Promise<void> {
    await Promise.all([this.sql.end({ timeout: 1 }), this.#presence.end({ timeout: 1 })]);
  }
}
