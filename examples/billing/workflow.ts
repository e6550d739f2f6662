import { child, done, FatalError, RetryLaterError, step, type, undo, workflow } from "../../mod.ts";
import { giveCreditBack, giveNumberBack, takeNumber, useCredit } from "./books.ts";
import { dunning } from "./dunning.ts";
import { chargeCard, refundCard } from "./gateway.ts";

/** What a customer has bought. */
export interface Bill {
  readonly customer: string;
  readonly cents: number;
}

const invoice = step("invoice", {
  events: { numbered: type<{ number: string }>() },
  run: ({ idempotencyKey, emit }) => emit.numbered({ number: takeNumber(idempotencyKey) }),
  undo: { numbered: ({ output }) => giveNumberBack(output.number) },
});

const credit = step("credit", {
  input: type<Bill>(),
  events: { used: type<{ left: number }>() },
  run({ input, idempotencyKey, emit }) {
    return emit.used({
      left: input.cents - useCredit(input.customer, input.cents, idempotencyKey),
    });
  },
  undo: {
    used: ({ input, stepIdempotencyKey }) => giveCreditBack(input.customer, stepIdempotencyKey),
  },
});

const charge = step("charge", {
  input: type<Bill>(),
  needs: [credit.when("used")],
  events: { charged: type<{ receipt: string }>() },
  retry: { attempts: 1 },
  deadline: "1d",
  async run({ input, steps, idempotencyKey, emit }) {
    const answer = await chargeCard(input.customer, steps.credit.left, idempotencyKey);
    // A busy gateway uses up no attempt, however long it is busy.
    if (answer.status === 429) {
      throw new RetryLaterError({ after: `${answer.retryAfter}s`, reason: "too many requests" });
    }
    if (answer.status === 402) throw new FatalError("The card was refused");
    return emit.charged({ receipt: answer.receipt });
  },
  // After a failure nobody knows whether the gateway has charged: the key of the step does.
  undo: {
    charged: ({ stepIdempotencyKey }) => refundCard(stepIdempotencyKey),
    failed: ({ stepIdempotencyKey }) => refundCard(stepIdempotencyKey),
  },
});

const dun = child("dun", dunning, {
  input: type<Bill>(),
  needs: [invoice.when("numbered"), credit.when("used")],
  key: ({ steps }) => steps.invoice.number,
  with: ({ input, steps }) => ({ customer: input.customer, cents: steps.credit.left }),
});

/** A bill: charged to a card, or paid after a reminder, or taken back. */
export const billing = workflow("billing", {
  key: "bill",
  input: type<Bill>(),
  start: invoice,
  undoOn: ["failed", "cancelled"],
})
  .on(invoice, { numbered: credit })
  .on(credit, { used: charge })
  .on(charge, { charged: done, failed: dun })
  .on(dun, { paid: done, unpaid: undo, failed: undo })
  .returns({ charged: charge.when("charged"), paid: dun.when("paid") })
  .build();
