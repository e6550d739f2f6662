import { choice, signal, type } from "../../../mod.ts";
import { authorize } from "./payment.ts";
import { reserve } from "./stock.ts";
import { validate } from "./validate.ts";

/** From this amount on a person decides. */
const large = 3_000_00;

/** Reads how both branches ended and decides how to go on: pure, synchronous, and recorded. */
export const settle = choice("settle", {
  needs: [validate.when("valid"), reserve.outcome(), authorize.outcome()],
  events: { go: type(), ask: type(), stop: type() },
  decide({ steps, emit }) {
    const { validate, reserve, authorize } = steps;
    if (reserve.event === "soldOut" || authorize.event === "declined") return emit.stop();
    return validate.cents >= large ? emit.ask() : emit.go();
  },
});

/** Waits until somebody decides, for years if need be: nothing runs meanwhile. */
export const approval = signal("approval", {
  events: {
    approved: type<{ by: string }>(),
    refused: type<{ by: string }>(),
  },
});
