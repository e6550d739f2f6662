// More right flows, one for each word of control flow.
import { child } from "../../src/core/child/child.ts";
import { each, type EachFailure } from "../../src/core/each/each.ts";
import { again, done, drop, undo } from "../../src/core/define/target.ts";
import { signal, timer } from "../../src/core/define/signal.ts";
import { step } from "../../src/core/define/step.ts";
import { workflow } from "../../src/core/graph/builder.ts";
import type { ReturnsOf } from "../../src/core/graph/returns_types.ts";
import type { StepFailure } from "../../src/core/value/failure.ts";
import { type, type TypeOf } from "../../src/core/value/type.ts";
import type { Handle, HandleOf } from "../../src/client/handle.ts";
import type { Instance } from "../../src/core/engine/instance.ts";
import { charge, type Equal, expect, type Order, validate } from "./flows.ts";

// A reminder beside a wait, which ends with it, and two signals that race.
const day = timer("day", "1d");
const remind = step("remind", { events: { sent: type() }, run: ({ emit }) => emit.sent() });
const activate = step("activate", {
  needs: [validate.when("valid")],
  events: { active: type() },
  run: ({ emit }) => emit.active(),
});
const clicked = signal("clicked", { events: { yes: type(), no: type() } });
export const onboarding = workflow("onboarding", {
  key: "id",
  input: type<Order>(),
  start: validate,
})
  .on(validate, { valid: [clicked, day], invalid: done })
  .on(clicked, { yes: [activate, drop(day)], no: [done, drop(day)] })
  .on(day, { elapsed: [remind, drop(clicked)] })
  .on(remind, { sent: done })
  .on(activate, { active: done })
  .build();

// What has something to undo says how, event by event, and a row may end by undoing.
const book = step("book", {
  input: type<Order>(),
  needs: [validate.when("valid")],
  events: { booked: type<{ seat: string }>(), full: type() },
  run: ({ emit }) => emit.booked({ seat: "12a" }),
  undo: {
    booked({ input, steps, output, reason, tx }) {
      expect<Equal<typeof output, { seat: string }>>();
      expect<Equal<typeof input, Order>>();
      expect<Equal<typeof steps, { readonly validate: TypeOf<typeof validate.events.valid> }>>();
      expect<Equal<typeof reason.status, "undone" | "failed" | "cancelled">>();
      return tx(async (sql) => void await sql`delete from seats where id = ${output.seat}`);
    },
    failed({ output, stepIdempotencyKey }) {
      expect<Equal<typeof output, StepFailure>>();
      expect<Equal<typeof stepIdempotencyKey, string>>();
    },
  },
  undoRetry: { attempts: 50 },
});
export const booking = workflow("booking", {
  key: "id",
  input: type<Order>(),
  start: validate,
  undoOn: ["failed", "cancelled"],
})
  .on(validate, { valid: book, invalid: done })
  .on(book, { booked: clicked, full: undo })
  .on(clicked, { yes: again(validate, { limit: 2, then: undo }), no: undo });
// Times that are computed: of a wait, of a timer, of attempts and of the workflow.
const offer = signal("offer", {
  input: type<Order>(),
  needs: [validate.when("valid")],
  events: { taken: type() },
  expires({ input, steps }) {
    expect<Equal<typeof steps.validate, { total: number }>>();
    return input.priority === "high" ? "1h" : `${steps.validate.total}d`;
  },
});
const rest = timer("rest", {
  needs: [validate.when("valid")],
  after: ({ steps }) => new Date(steps.validate.total),
});
const send = step("send", {
  needs: [validate.when("valid")],
  events: { sent: type() },
  timeout: ({ steps }) => `${steps.validate.total}s`,
  deadline: new Date(0),
  run: ({ emit }) => emit.sent(),
});
export const offering = workflow("offering", {
  key: "id",
  input: type<Order>(),
  start: validate,
  deadline: ({ input }) => `${input.items.length}d`,
})
  .on(validate, { valid: [offer, rest], invalid: done })
  .on(offer, { taken: send, expired: done })
  .on(rest, { elapsed: done })
  .on(send, { sent: done })
  .build();
// What a workflow returns, as the handles of its instances have it; without a word, as ever.
export const returning = workflow("returning", { key: "id", input: type<Order>(), start: validate })
  .on(validate, { valid: charge, invalid: done })
  .on(charge, { charged: done, declined: done, failed: done })
  .returns({
    paid: charge.when("charged"),
    declined: charge.when("declined"),
    broken: charge.when("failed"),
    invalid: validate.when("invalid"),
  })
  .build();
export async function outcomes(paid: HandleOf<Order, ReturnsOf<typeof returning>>): Promise<void> {
  const result = await paid.result();
  if (result.outcome === "paid") expect<Equal<typeof result.output, { receipt: string }>>();
  if (result.outcome === "broken") expect<Equal<typeof result.output, StepFailure>>();
  if (result.outcome === undefined) expect<Equal<typeof result.output, undefined>>();
  if (result.status === "completed") {
    expect<Equal<typeof result.outcome, "paid" | "declined" | "broken" | "invalid">>();
  }
  const output = await paid.output();
  expect<
    Equal<typeof output, { receipt: string } | { code: string } | StepFailure | { reason: string }>
  >();
  const any: Handle = paid;
  const plain = await any.result();
  expect<Equal<typeof plain, Instance>>();
}

// A child has what its workflow returns as events, and may fail; one that returns nothing completes.
const paying = child("paying", returning, {
  input: type<{ readonly order: Order }>(),
  needs: [charge.when("charged")],
  with({ input, steps }) {
    expect<Equal<typeof steps, { readonly charge: TypeOf<typeof charge.events.charged> }>>();
    return input.order;
  },
  key: ({ input }) => `${input.order.items.length}`,
});
expect<Equal<keyof typeof paying.events, "paid" | "declined" | "broken" | "invalid">>();
expect<Equal<TypeOf<typeof paying.events.paid>, { receipt: string }>>();
expect<Equal<TypeOf<typeof paying.events.broken>, StepFailure>>();
const onboarded = child("onboarded", onboarding, {
  input: type<Order>(),
  with: ({ input }) => input,
});
const late = step("late", {
  needs: [paying.when("failed"), onboarded.when("completed")],
  events: { ok: type() },
  run({ steps, emit }) {
    expect<Equal<typeof steps.paying, StepFailure>>();
    return emit.ok();
  },
});
expect<Equal<typeof late.name, "late">>();

// The items of a list end one by one, and their outcomes are one output in the row.
const split = step("split", {
  input: type<Order>(),
  events: { split: type<{ readonly skus: readonly string[] }>() },
  run: ({ input, emit }) => emit.split({ skus: input.items.map(({ sku }) => sku) }),
});
const reserved = each("reserved", {
  input: type<Order>(),
  needs: [split.when("split")],
  over({ input, steps }) {
    expect<Equal<typeof input, Order>>();
    return steps.split.skus;
  },
  onFailure: { threshold: 2 },
  events: { held: type<{ readonly hold: string }>(), gone: type() },
  timeout: ({ input }) => `${input.items.length}s`,
  run({ item, index, emit, tx }) {
    expect<Equal<typeof item, string>>();
    expect<Equal<typeof index, number>>();
    return item === "" ? emit.gone() : tx(() => emit.held({ hold: item }));
  },
});
const dispatched = step("dispatched", {
  needs: [reserved.when("finished")],
  events: { sent: type<string>() },
  run({ steps, emit }) {
    const [one] = steps.reserved;
    if (one?.event === "held") expect<Equal<typeof one.output, { readonly hold: string }>>();
    if (one?.event === "failed") expect<Equal<typeof one.output, StepFailure>>();
    return emit.sent(one?.event ?? "");
  },
});
const explained = step("explained", {
  needs: [reserved.when("failed")],
  events: { ok: type<number>() },
  run({ steps, emit }) {
    expect<Equal<typeof steps.reserved, EachFailure>>();
    return emit.ok(steps.reserved.index + steps.reserved.failed);
  },
});
export const dispatching = workflow("dispatching", {
  key: "id",
  input: type<Order>(),
  start: split,
})
  .on(split, { split: reserved })
  .on(reserved, { finished: dispatched, failed: explained })
  .on(dispatched, { sent: done })
  .on(explained, { ok: done })
  .returns({ sent: dispatched.when("sent"), explained: explained.when("ok") })
  .build();
