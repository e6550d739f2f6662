const sent = new Map<string, { readonly user: string; readonly what: string }>();
let failures = 0;

/**
 * Stands in for a mail service. It does not send twice under one idempotency key, and every third
 * call fails.
 */
export async function send(user: string, what: string, idempotencyKey: string): Promise<void> {
  await Promise.resolve();
  if (++failures % 3 === 0) throw new Error("The mail service does not answer");
  sent.set(idempotencyKey, { user, what });
}

/** What a user has got, in order. */
export function mailsOf(user: string): readonly string[] {
  return [...sent.values()].filter((mail) => mail.user === user).map(({ what }) => what);
}
