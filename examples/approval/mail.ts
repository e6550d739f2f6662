const sent = new Map<string, { readonly about: string; readonly what: string }>();

/** Stands in for a mail service. It does not send twice under one idempotency key. */
export function send(about: string, what: string, idempotencyKey: string): void {
  sent.set(idempotencyKey, { about, what });
}

/** What was sent about a request, in order. */
export function mailsAbout(about: string): readonly string[] {
  return [...sent.values()].filter((mail) => mail.about === about).map(({ what }) => what);
}
