// Right flows: they compile, and infer what is written here.
import type { Delivery, Outcome } from "../../src/core/define/emit.ts";
import { choice } from "../../src/core/define/choice.ts";
import { signal, timer } from "../../src/core/define/signal.ts";
import { step } from "../../src/core/define/step.ts";
import type { StepFailure } from "../../src/core/value/failure.ts";
import { again, done, first, join } from "../../src/core/define/target.ts";
import { type } from "../../src/core/value/type.ts";
import { versioned } from "../../src/core/graph/version.ts";
import type { DeliveryOf, InputOf, Workflow } from "../../src/core/graph/workflow.ts";
import { workflow } from "../../src/core/graph/builder.ts";

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true
  : false;
export function expect<_Holds extends true>(): void {}

export interface Order {
  readonly items: readonly { readonly sku: string; readonly price: number }[];
  readonly priority: "high" | "low";
}

export const validate = step("validate", {
  input: type<Order>(),
  events: { valid: type<{ total: number }>(), invalid: type<{ reason: string }>() },
  run({ input, emit }) {
    const total = input.items.reduce((sum, { price }) => sum + price, 0);
    return total > 0 ? emit.valid({ total }) : emit.invalid({ reason: "empty" });
  },
});
export const reserve = step("reserve", {
  needs: [validate.when("valid")],
  events: { reserved: type<{ hold: string }>(), soldOut: type() },
  run({ steps, emit, tx }) {
    expect<Equal<typeof steps.validate, { total: number }>>();
    return tx(async (sql) => {
      const [row] = await sql<{ hold: string }>`select ${steps.validate.total}::text as hold`;
      return row === undefined ? emit.soldOut() : emit.reserved({ hold: row.hold });
    });
  },
});
export const charge = step("charge", {
  needs: [validate.when("valid")],
  events: { charged: type<{ receipt: string }>(), declined: type<{ code: string }>() },
  retry: { attempts: 5, backoff: "exponential", max: "1m" },
  async run({ emit, idempotencyKey }) {
    await Promise.resolve();
    return emit.charged({ receipt: idempotencyKey }, { metadata: { gateway: "test" } });
  },
});
export const ship = step("ship", {
  needs: [charge.when("charged"), reserve.when("reserved")],
  events: { shipped: type<{ tracking: string }>() },
  run: ({ steps, emit }) =>
    emit.shipped({ tracking: `${steps.charge.receipt}${steps.reserve.hold}` }),
});
export const triage = choice("triage", {
  input: type<{ readonly priority: "high" | "low" }>(),
  needs: [charge.when("charged")],
  events: { fast: type(), ask: type() },
  decide: ({ input, emit }) => input.priority === "high" ? emit.fast() : emit.ask(),
});
export const approval = signal("approval", {
  events: { approved: type<{ by: string }>(), refused: type() },
  expires: "2d",
});
export const cooldown = timer("cooldown", "30m");
export const reject = step("reject", {
  events: { rejected: type() },
  run: ({ emit }) => emit.rejected(),
});

export const dunning = step("dunning", {
  needs: [charge.when("failed")],
  events: { sent: type() },
  run({ steps, emit }) {
    expect<Equal<typeof steps.charge, StepFailure>>();
    return emit.sent();
  },
});
export const account = step("account", {
  needs: [charge.settled()],
  events: { booked: type<string>() },
  run({ steps: { charge }, emit }) {
    expect<Equal<typeof charge.event, "charged" | "declined" | "failed">>();
    if (charge.event === "failed") return emit.booked(`${charge.output.attempts} attempts`);
    return emit.booked(charge.event === "charged" ? charge.output.receipt : charge.output.code);
  },
});
export const billing = workflow("billing", { key: "id", input: type<Order>(), start: validate })
  .on(validate, { valid: charge, invalid: done })
  .on(charge, { charged: account, declined: account, failed: dunning })
  .on(dunning, { sent: account })
  .on(account, { booked: done })
  .build();

export const order = workflow("order", { key: "orderid", input: type<Order>(), start: validate })
  .on(validate, { valid: [reserve, charge], invalid: reject })
  .on(reserve, { reserved: join(ship), soldOut: first(reject) })
  .on(charge, { charged: join(ship), declined: first(reject) })
  .on(ship, { shipped: triage })
  .on(triage, { fast: cooldown, ask: approval })
  .on(approval, { approved: cooldown, refused: first(reject), expired: first(reject) })
  .on(cooldown, { elapsed: done })
  .on(reject, { rejected: done })
  .build();

expect<Equal<InputOf<typeof order>, Order>>();
expect<
  Equal<
    DeliveryOf<typeof order>,
    Delivery<"approval", "approved", { by: string }> | Delivery<"approval", "refused", undefined>
  >
>();
export const anyOrder: Workflow = order;

// Both branches are joined however they end, and a choice reads how they ended.
const settle = choice("settle", {
  needs: [reserve.outcome(), charge.outcome()],
  events: { go: type<{ hold: string }>(), stop: type() },
  decide({ steps, emit }) {
    expect<
      Equal<
        typeof steps.reserve,
        Outcome<"reserved", { hold: string }> | Outcome<"soldOut", undefined>
      >
    >();
    if (steps.reserve.event !== "reserved" || steps.charge.event !== "charged") return emit.stop();
    return emit.go({ hold: steps.reserve.output.hold });
  },
});
const dispatch = step("dispatch", {
  needs: [settle.when("go"), reserve.outcome()],
  sees: [charge.when("charged"), settle.outcome()],
  events: { dispatched: type() },
  run({ steps, seen, emit }) {
    expect<Equal<typeof steps.settle, { hold: string }>>();
    expect<Equal<typeof seen.charge, { receipt: string } | undefined>>();
    return emit.dispatched();
  },
});
export const settled = workflow("settled", { key: "id", input: type<Order>(), start: validate })
  .on(validate, { valid: [reserve, charge], invalid: done })
  .on(reserve, { reserved: join(settle), soldOut: join(settle) })
  .on(charge, { charged: join(settle), declined: join(settle) })
  .on(settle, { go: dispatch, stop: done })
  .on(dispatch, { dispatched: done })
  .build();

// Work that is finished elsewhere; the same code twice.
const render = step("render", {
  async: true,
  expires: "1h",
  events: { rendered: type<{ url: string }>() },
  run: ({ emit, attempt }) => attempt > 1 ? emit.rendered({ url: "cached" }) : emit.later(),
});
const renderAgain = render.as("render-again");
export const video = workflow("video", { key: "id", input: type(), start: render })
  .on(render, { rendered: done, expired: renderAgain })
  .on(renderAgain, { rendered: done, expired: done })
  .build();

expect<
  Equal<
    DeliveryOf<typeof video>,
    Delivery<"render" | "render-again", "rendered", { url: string }> extends infer _ ?
        | Delivery<"render", "rendered", { url: string }>
        | Delivery<
          "render-again",
          "rendered",
          { url: string }
        >
      : never
  >
>();
renderAgain.emit.rendered({ url: "u" });

export const versions = versioned("order", { versions: { 1: order, 2: order }, current: 2 });
expect<
  Equal<
    InputOf<(typeof versions)["versions"] extends ReadonlyMap<number, infer W> ? W : never>,
    Order
  >
>();

// An agent: the model calls tools until it has an answer, twenty times at most.
const callModel = step("callModel", {
  rounds: type<readonly number[]>(),
  events: { answer: type<string>(), calls: type<readonly string[]>() },
  run({ rounds, emit }) {
    expect<Equal<typeof rounds, readonly (readonly number[])[]>>();
    return emit.answer(String(rounds.length));
  },
});
const tools = step("tools", {
  needs: [callModel.when("calls")],
  events: { results: type<readonly number[]>() },
  run: ({ steps, emit }) => emit.results(steps.callModel.map((call) => call.length)),
});
const summarise = step("summarise", {
  needs: [callModel.when("calls"), tools.when("results")],
  events: { summary: type<string>() },
  run({ steps, emit }) {
    expect<Equal<typeof steps.tools, readonly number[]>>();
    return emit.summary(String(steps.tools.length));
  },
});
const reply = step("reply", {
  sees: [callModel.when("answer"), summarise.when("summary"), tools.every("results")],
  events: { sent: type<string | undefined>() },
  run({ seen, emit }) {
    expect<Equal<typeof seen.tools, readonly (readonly number[])[]>>();
    return emit.sent(seen.callModel ?? seen.summarise);
  },
});
export const agent = workflow("agent", { key: "chat", input: type(), start: callModel })
  .on(callModel, { answer: reply, calls: tools, failed: done })
  .on(tools, { results: again(callModel, { limit: 20, then: summarise }) })
  .on(summarise, { summary: reply })
  .on(reply, { sent: done })
  .build();

// Loops in each other, one of a step to itself, one after a failure, and one that ends at once.
const poll = step("poll", {
  events: { ready: type(), notYet: type() },
  run({ rounds, emit }) {
    expect<Equal<typeof rounds, readonly never[]>>();
    return emit.ready();
  },
});
const pause = timer("pause", "10s");
export const polling = workflow("polling", { key: "id", input: type(), start: poll })
  .on(poll, {
    ready: pause,
    notYet: again(poll, { limit: 3, then: [first(pause)] }),
    failed: again(poll, { limit: 2 }),
  })
  .on(pause, { elapsed: again(poll, { limit: 3, then: done }) })
  .build();
