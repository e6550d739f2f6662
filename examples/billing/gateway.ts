/** What the gateway answers. */
export type Answer =
  | { readonly status: 200; readonly receipt: string }
  | { readonly status: 402 }
  | { readonly status: 429; readonly retryAfter: number };

const receipts = new Map<string, string>();
const busy = new Map([["bob", 2], ["eve", 2]]);
const refused = new Set(["cyd", "dan"]);

/**
 * Stands in for a payment gateway. It does not charge twice under one idempotency key, and asks to
 * wait for some seconds when it is busy.
 */
export async function chargeCard(
  customer: string,
  cents: number,
  idempotencyKey: string,
): Promise<Answer> {
  await Promise.resolve();
  const left = busy.get(customer) ?? 0;
  if (left > 0) {
    busy.set(customer, left - 1);
    return { status: 429, retryAfter: 90 };
  }
  if (refused.has(customer)) return { status: 402 };
  const receipt = receipts.get(idempotencyKey) ?? `${cents} cents, receipt ${receipts.size + 1}`;
  receipts.set(idempotencyKey, receipt);
  return { status: 200, receipt };
}

/** Gives back what was charged under an idempotency key, if anything was. */
export async function refundCard(idempotencyKey: string): Promise<void> {
  await Promise.resolve();
  receipts.delete(idempotencyKey);
}
