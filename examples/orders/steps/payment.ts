import { step, type } from "../../../mod.ts";
import { gateway } from "../gateway.ts";
import type { Order } from "../order.ts";
import { validate } from "./validate.ts";

/**
 * Reserves the amount on the customer's card. The gateway fails now and then. When a step throws,
 * it is retried. The key is the same in every attempt, so the gateway recognises a request that it
 * has already answered.
 */
export const authorize = step("authorize", {
  input: type<Order>(),
  needs: [validate.when("valid")],
  events: {
    authorized: type<{ authorization: string }>(),
    declined: type<{ code: string }>(),
  },
  async run({ input, steps, emit, ...call }) {
    const answer = await gateway.authorize(input.id, steps.validate.cents, call);
    return answer === "declined"
      ? emit.declined({ code: "insufficient funds" })
      : emit.authorized({ authorization: call.idempotencyKey });
  },
});

/** Releases an authorization. */
export const withdraw = step("withdraw", {
  input: type<Order>(),
  needs: [authorize.outcome()],
  events: { withdrawn: type() },
  async run({ input, steps, emit, ...call }) {
    if (steps.authorize.event === "authorized") await gateway.withdraw(input.id, call);
    return emit.withdrawn();
  },
});

/** Captures the money and writes the invoice. */
export const invoice = step("invoice", {
  input: type<Order>(),
  needs: [validate.when("valid")],
  events: { invoiced: type<{ number: number }>() },
  async run({ input, steps, emit, tx, ...call }) {
    const { cents } = steps.validate;
    await gateway.capture(input.id, cents, call);
    return tx(async (sql) => {
      const [row] = await sql<{ number: number }>`
        insert into shop.invoices (order_id, cents) values (${input.id}, ${cents})
        returning number`;
      return emit.invoiced({ number: row!.number }, { metadata: { outcome: "shipped" } });
    });
  },
});
