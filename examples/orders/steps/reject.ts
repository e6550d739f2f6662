import { step, type } from "../../../mod.ts";
import { authorize } from "./payment.ts";
import { approval } from "./review.ts";
import { reserve } from "./stock.ts";
import { validate } from "./validate.ts";

/** Why an order was rejected. */
export type Rejection = "invalid" | "soldOut" | "declined" | "refused";

/** Tells the customer why. `seen` holds the results of the path that led here. */
export const reject = step("reject", {
  sees: [
    validate.when("invalid"),
    reserve.when("soldOut"),
    authorize.when("declined"),
    approval.when("refused"),
  ],
  events: { rejected: type<{ letter: string }>() },
  run({ seen, emit }) {
    const rejected = (outcome: Rejection, letter: string) =>
      emit.rejected({ letter }, { metadata: { outcome } });
    if (seen.validate) {
      return rejected("invalid", `We cannot read your order: ${seen.validate.reason}`);
    }
    if (seen.reserve) return rejected("soldOut", `${seen.reserve.product} is sold out`);
    if (seen.authorize) {
      return rejected("declined", `Your card was declined: ${seen.authorize.code}`);
    }
    return rejected("refused", `${seen.approval?.by ?? "Somebody"} has refused your order`);
  },
});
