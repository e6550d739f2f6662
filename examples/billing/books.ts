const numbers = new Map<string, string>();
const free: string[] = [];
const credits = new Map([["ada", 500], ["dan", 300]]);
const used = new Map<string, number>();

/** Takes an invoice number: one that was given back, or the next one. */
export function takeNumber(idempotencyKey: string): string {
  const number = numbers.get(idempotencyKey) ?? free.shift() ?? `2026-${numbers.size + 1}`;
  numbers.set(idempotencyKey, number);
  return number;
}

/** Gives an invoice number back. It does so once, however often it is called. */
export function giveNumberBack(number: string): void {
  if (!free.includes(number)) free.push(number);
}

/** Whether an invoice number was given back. */
export function isFree(number: string): boolean {
  return free.includes(number);
}

/** Uses what a customer has as credit, up to an amount. */
export function useCredit(customer: string, cents: number, idempotencyKey: string): number {
  const before = used.get(idempotencyKey);
  if (before !== undefined) return before;
  const taken = Math.min(credits.get(customer) ?? 0, cents);
  used.set(idempotencyKey, taken);
  credits.set(customer, creditOf(customer) - taken);
  return taken;
}

/** Gives back the credit that was used under an idempotency key. */
export function giveCreditBack(customer: string, idempotencyKey: string): void {
  credits.set(customer, creditOf(customer) + (used.get(idempotencyKey) ?? 0));
  used.set(idempotencyKey, 0);
}

/** The credit of a customer in cents. */
export function creditOf(customer: string): number {
  return credits.get(customer) ?? 0;
}
