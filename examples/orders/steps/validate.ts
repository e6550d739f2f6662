import { step, type } from "../../../mod.ts";
import type { Order } from "../order.ts";

/** Rejects orders that cannot be shipped, before any goods or money move. */
export const validate = step("validate", {
  input: type<Order>(),
  events: {
    valid: type<{ cents: number }>(),
    invalid: type<{ reason: string }>(),
  },
  run({ input, emit }) {
    const reason = fault(input);
    if (reason !== undefined) return emit.invalid({ reason });
    return emit.valid({ cents: input.lines.reduce((sum, line) => sum + line.cents, 0) });
  },
});

function fault({ customer, lines }: Order): string | undefined {
  if (customer === undefined) return "the customer is unknown";
  if (lines.length === 0) return "it asks for nothing";
  if (lines.some(({ quantity }) => !Number.isInteger(quantity) || quantity < 1)) {
    return "a quantity is not a positive whole number";
  }
  const products = new Set(lines.map(({ product }) => product));
  return products.size < lines.length ? "it names a product twice" : undefined;
}
