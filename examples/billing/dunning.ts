import { again, done, signal, step, type, workflow } from "../../mod.ts";

/** What a customer owes. */
export interface Debt {
  readonly customer: string;
  readonly cents: number;
}

const remind = step("remind", {
  input: type<Debt>(),
  events: { sent: type<string>() },
  run: ({ input, activation, emit }) =>
    emit.sent(`reminder ${activation} to ${input.customer}: ${input.cents} cents`),
});

/** A payment by bank transfer. */
export const payment = signal("payment", {
  events: { received: type<{ transfer: string }>() },
  expires: "7d",
});

const close = step("close", {
  sees: [remind.every("sent")],
  events: { closed: type<{ reminders: number }>() },
  run: ({ seen, emit }) => emit.closed({ reminders: seen.remind.length }),
});

/** Reminds a customer every week until the payment is received, three times at most. */
export const dunning = workflow("dunning", {
  key: "invoice",
  input: type<Debt>(),
  start: remind,
})
  .on(remind, { sent: payment })
  .on(payment, { received: done, expired: again(remind, { limit: 3, then: close }) })
  .on(close, { closed: done })
  .returns({ paid: payment.when("received"), unpaid: close.when("closed") })
  .build();
