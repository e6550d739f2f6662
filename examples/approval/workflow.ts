import { again, done, drop, signal, step, timer, type, workflow } from "../../mod.ts";
import { send } from "./mail.ts";

/** What somebody wants to buy. */
export interface Purchase {
  readonly item: string;
  readonly price: number;
}

const mail = <const Name extends string>(name: Name, to: string) =>
  step(name, {
    events: { sent: type() },
    run({ instance, emit, idempotencyKey }) {
      send(instance.key, to, idempotencyKey);
      return emit.sent();
    },
  });

const ask = mail("ask", "manager: please decide");
const events = { approved: type<{ by: string }>(), refused: type<{ why: string }>() };

/** The decision of the manager. It can still be made after the director was asked. */
export const manager = signal("manager", { events });
/** The decision of the director, who is asked when the manager has been silent for three days. */
export const director = signal("director", { events });

const day = timer("day", "1d");
const remind = mail("remind", "manager: reminder");
const patience = timer("patience", "3d");
const escalate = mail("escalate", "director: please decide");

const buy = step("buy", {
  input: type<Purchase>(),
  needs: [ask.when("sent")],
  events: { bought: type<{ item: string; paid: number }>() },
  run: ({ input, emit }) => emit.bought({ item: input.item, paid: input.price }),
});
const tell = mail("tell", "requester: refused");

/** A purchase that somebody must approve: reminders, an escalation, and a deadline for all of it. */
export const approval = workflow("approval", {
  key: "request",
  input: type<Purchase>(),
  start: ask,
  deadline: "14d",
})
  .on(ask, { sent: [manager, day, patience] })
  .on(day, { elapsed: remind })
  .on(remind, { sent: again(day, { limit: 5, then: done }) })
  .on(manager, {
    approved: [buy, drop(day), drop(patience)],
    refused: [tell, drop(day), drop(patience)],
  })
  .on(patience, { elapsed: escalate })
  .on(escalate, { sent: director })
  // After the first decision, the other person is no longer asked.
  .on(director, {
    approved: [buy, drop(day), drop(manager)],
    refused: [tell, drop(day), drop(manager)],
  })
  .on(buy, { bought: done })
  .on(tell, { sent: done })
  .returns({ bought: buy.when("bought"), refused: tell.when("sent") })
  .build();
