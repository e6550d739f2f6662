import { step, type } from "../../../mod.ts";
import type { Order } from "../order.ts";
import { move, shortage } from "../stock.ts";

/**
 * Reserves the goods. `tx` runs in the transaction that records the result of the step. Stock and
 * result commit together, so a process that dies here has done both or neither.
 */
export const reserve = step("reserve", {
  input: type<Order>(),
  events: {
    reserved: type(),
    soldOut: type<{ product: string }>(),
  },
  run: ({ input, emit, tx }) =>
    tx(async (sql) => {
      const product = await shortage(sql, input);
      if (product !== undefined) return emit.soldOut({ product });
      await move(sql, input, "reserved");
      return emit.reserved();
    }),
});

/** Puts reserved goods back into stock. */
export const release = step("release", {
  input: type<Order>(),
  needs: [reserve.outcome()],
  events: { released: type() },
  run({ input, steps, emit, tx }) {
    if (steps.reserve.event !== "reserved") return emit.released();
    return tx(async (sql) => {
      await move(sql, input, "released");
      return emit.released();
    });
  },
});

/** Hands the reserved goods to the carrier. */
export const ship = step("ship", {
  input: type<Order>(),
  events: { shipped: type<{ parcel: string }>() },
  run: ({ input, emit, tx, idempotencyKey }) =>
    tx(async (sql) => {
      await move(sql, input, "shipped");
      return emit.shipped({ parcel: `parcel-${idempotencyKey.slice(-8)}` });
    }),
});
