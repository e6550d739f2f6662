import { choice, signal, type } from "../../../mod.ts";
import { authorize } from "./payment.ts";
import { reserve } from "./stock.ts";
import { validate } from "./validate.ts";

/** A person decides about orders of at least this amount, in cents. */
const large = 3_000_00;

/**
 * Reads how both branches ended and decides how to continue. Pure and synchronous; the result is
 * recorded.
 */
export const settle = choice("settle", {
  needs: [validate.when("valid"), reserve.outcome(), authorize.outcome()],
  events: { go: type(), ask: type(), stop: type() },
  decide({ steps, emit }) {
    const { validate, reserve, authorize } = steps;
    if (reserve.event === "soldOut" || authorize.event === "declined") return emit.stop();
    return validate.cents >= large ? emit.ask() : emit.go();
  },
});

/** Waits for a person's decision, for years if necessary. Nothing runs meanwhile. */
export const approval = signal("approval", {
  events: {
    approved: type<{ by: string }>(),
    refused: type<{ by: string }>(),
  },
});
