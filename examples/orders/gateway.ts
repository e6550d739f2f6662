import { setTimeout as delay } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { chance } from "./chance.ts";

/** What a request carries beside its subject: a step hands over what it was given. */
export interface Call {
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly abortSignal: AbortSignal;
}

type Operation = "authorize" | "capture" | "withdraw";

const declines = 0.05;
const silences = 0.06;
const lostAnswers = 0.06;

/**
 * A payment service, simulated. Its book is a table that it writes through connections of its own, as if it were
 * elsewhere: nothing here is part of a step's transaction. One request in eight fails, half of them after the deed.
 */
class Gateway {
  #sql: Sql | undefined;

  /** Opens the connections; disposing the answer closes them. */
  connect(url: string): AsyncDisposable {
    const sql = this.#sql = postgres(url, { max: 4, onnotice: () => {} });
    return { [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
  }

  /** Puts an amount aside, unless the card does not cover it. */
  authorize(order: string, cents: number, call: Call): Promise<string> {
    const covered = chance(`card of ${order}`) >= declines;
    return this.#ask("authorize", order, cents, covered ? "authorized" : "declined", call);
  }

  /** Takes the amount that was put aside. */
  capture(order: string, cents: number, call: Call): Promise<string> {
    return this.#ask("capture", order, cents, "captured", call);
  }

  /** Frees the amount that was put aside. */
  withdraw(order: string, call: Call): Promise<string> {
    return this.#ask("withdraw", order, 0, "withdrawn", call);
  }

  /** A key that is known gets the answer that it got before, and nothing is charged. */
  async #ask(
    operation: Operation,
    order: string,
    cents: number,
    answer: string,
    { idempotencyKey: key, attempt, abortSignal }: Call,
  ): Promise<string> {
    if (this.#sql === undefined) throw new Error("Cannot ask the gateway: it is not connected");
    const luck = chance(`${key} ${attempt}`);
    await delay(20 + 60 * luck, undefined, { signal: abortSignal });
    if (luck < silences) throw new Error("The gateway does not answer");
    const [row] = await this.#sql<{ answer: string }[]>`
      insert into shop.gateway (key, operation, order_id, cents, answer)
      values (${key}, ${operation}, ${order}, ${cents}, ${answer})
      on conflict (key) do update set requests = gateway.requests + 1
      returning answer`;
    if (luck < silences + lostAnswers) throw new Error("The gateway's answer was lost");
    return row!.answer;
  }
}

export const gateway: Gateway = new Gateway();
