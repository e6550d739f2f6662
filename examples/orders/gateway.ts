import { setTimeout as delay } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { chance } from "./chance.ts";

/** The parts of a step's context that go with each request. */
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
 * A simulated payment service. It writes its ledger through its own connections, as if it were a
 * remote system: nothing here is part of a step's transaction. One request in eight fails, half of
 * them after the payment was processed.
 */
class Gateway {
  #sql: Sql | undefined;

  /** Opens the connections. Dispose the returned object to close them. */
  connect(url: string): AsyncDisposable {
    const sql = this.#sql = postgres(url, { max: 4, onnotice: () => {} });
    return { [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
  }

  /** Authorizes an amount, unless the card does not cover it. */
  authorize(order: string, cents: number, call: Call): Promise<string> {
    const covered = chance(`card of ${order}`) >= declines;
    return this.#ask("authorize", order, cents, covered ? "authorized" : "declined", call);
  }

  /** Captures the authorized amount. */
  capture(order: string, cents: number, call: Call): Promise<string> {
    return this.#ask("capture", order, cents, "captured", call);
  }

  /** Releases the authorized amount. */
  withdraw(order: string, call: Call): Promise<string> {
    return this.#ask("withdraw", order, 0, "withdrawn", call);
  }

  /** A request with a known key gets its earlier answer and charges nothing. */
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
