import { setTimeout as delay } from "node:timers/promises";
import { type Hephaestus, NotWaitingError } from "../../mod.ts";
import { chance } from "./chance.ts";
import { every } from "./engine.ts";
import { approval } from "./steps/review.ts";
import { order } from "./workflow.ts";

const refusals = 0.2;

/** Plays the person who decides about large orders, until the signal aborts. */
export async function approve(hephaestus: Hephaestus, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for await (const { id, active, input } of every(hephaestus, { status: "waiting" })) {
      if (active.includes("approval")) await decide(hephaestus, id, input.id);
    }
    await delay(200, undefined, { signal }).catch(() => {});
  }
}

async function decide(hephaestus: Hephaestus, id: string, orderId: string): Promise<void> {
  const { approved, refused } = approval.emit;
  const refuses = chance(`review of ${orderId}`) < refusals;
  const delivery = refuses ? refused({ by: "Maria" }) : approved({ by: "Maria" });
  try {
    await hephaestus.resume(order, { id }, delivery);
  } catch (error) {
    // Another process has decided since.
    if (!(error instanceof NotWaitingError)) throw error;
  }
}
