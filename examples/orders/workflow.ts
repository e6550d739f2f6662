import { done, join, timer, type, workflow } from "../../mod.ts";
import type { Order } from "./order.ts";
import { authorize, invoice, withdraw } from "./steps/payment.ts";
import { reject } from "./steps/reject.ts";
import { approval, settle } from "./steps/review.ts";
import { release, reserve, ship } from "./steps/stock.ts";
import { validate } from "./steps/validate.ts";

/** The time in which the customer may return the parcel. */
const cooldown = timer("cooldown", "500ms");

/** The life of an order, in execution order. */
export const order = workflow("order", {
  key: "orderid",
  input: type<Order>(),
  start: validate,
  retry: { attempts: 12, base: "100ms", max: "2s" },
})
  .on(validate, { valid: [reserve, authorize], invalid: reject })
  .on(reserve, { reserved: join(settle), soldOut: join(settle) })
  .on(authorize, { authorized: join(settle), declined: join(settle) })
  .on(settle, { go: ship, ask: approval, stop: [release, withdraw] })
  .on(approval, { approved: ship, refused: [release, withdraw] })
  .on(ship, { shipped: cooldown })
  .on(cooldown, { elapsed: invoice })
  .on(invoice, { invoiced: done })
  .on(release, { released: join(reject) })
  .on(withdraw, { withdrawn: join(reject) })
  .on(reject, { rejected: done })
  .build();
