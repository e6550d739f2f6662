import { done, drop, signal, step, timer, type, workflow } from "../../mod.ts";
import { send } from "./mail.ts";

const invite = step("invite", {
  events: { invited: type() },
  async run({ instance, emit, idempotencyKey }) {
    await send(instance.key, "invitation", idempotencyKey);
    return emit.invited();
  },
});

/** The link in the invitation. It can be clicked for 14 days. */
export const clicked = signal("clicked", { events: { yes: type() }, expires: "14d" });

const day1 = timer("day1", "1d");
const remind = step("remind", {
  events: { sent: type() },
  async run({ instance, emit, idempotencyKey }) {
    await send(instance.key, "reminder", idempotencyKey);
    return emit.sent();
  },
});
const day3 = timer("day3", "2d");
const remindAgain = remind.as("remindAgain");

const activate = step("activate", {
  events: { active: type() },
  async run({ instance, emit, idempotencyKey }) {
    await send(instance.key, "welcome", idempotencyKey);
    return emit.active();
  },
});
const close = step("close", {
  events: { closed: type() },
  run: ({ emit }) => emit.closed(undefined, { metadata: { reason: "not clicked for 14 days" } }),
});

/** An invitation with two reminders, which end with the wait for the click. */
export const onboarding = workflow("onboarding", { key: "user", input: type(), start: invite })
  .on(invite, { invited: [clicked, day1] })
  .on(clicked, { yes: [activate, drop(day1)], expired: [close, drop(day1)] })
  .on(day1, { elapsed: remind })
  // A reminder that cannot be sent does not stop the onboarding.
  .on(remind, { sent: day3, failed: day3 })
  .on(day3, { elapsed: remindAgain })
  .on(remindAgain, { sent: done, failed: done })
  .on(activate, { active: done })
  .on(close, { closed: done })
  .returns({ active: activate.when("active"), closed: close.when("closed") })
  .build();
