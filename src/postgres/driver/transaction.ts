import { longestTimer } from "../../core/value/duration.ts";
import type { Connection } from "./connection.ts";
import type { Row, Tx } from "./contract.ts";
import { DatabaseError } from "./errors.ts";
import type { Parameter } from "./parameters.ts";
import { plain } from "./rows.ts";

export interface TransactionOptions {
  /** The statement that begins the transaction. */
  readonly begin: string;
  /** The statements that end it after a failure. */
  readonly rollback: string;
  /** Milliseconds after which the connection is dropped, even if `work` is still running. */
  readonly deadline: number;
}

/**
 * Runs `work` in a transaction on its own connection. Once the connection is lost nothing more is
 * sent: no late statement of `work`, no commit and no rollback. The promise settles without waiting
 * for `work`.
 */
export async function transact<T>(
  connection: Connection,
  { begin, rollback, deadline }: TransactionOptions,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const giveUp = () =>
    connection.destroy(
      new DatabaseError("CONNECTION_DEADLINE", "The transaction did not end in time"),
    );
  const timer = deadline > 0 ? setTimeout(giveUp, Math.min(deadline, longestTimer)) : undefined;
  const tx = new OpenTransaction(connection);
  try {
    let result: T;
    try {
      await tx.run(begin, [], true);
      result = await connection.unlessLost(async () => await work(tx));
    } catch (error) {
      // A rollback would wait for the running statements, whose results are not needed. Ask the
      // server to cancel instead.
      if (tx.running > 0) connection.destroy(givenUp());
      else await tx.end(rollback).catch((worse) => connection.destroy(worse));
      throw error;
    }
    // The server responds to the commit of a failed transaction with a rollback, without an error.
    if ((await tx.end("commit")) !== "COMMIT") throw tx.failure;
    return result;
  } finally {
    tx.over = true;
    clearTimeout(timer);
  }
}

class OpenTransaction implements Tx {
  readonly #connection: Connection;
  #last: Promise<unknown> = Promise.resolve();
  /** Set once the end is being sent: no statement may follow it. */
  over = false;
  /** How many statements have no response yet. */
  running = 0;
  /** The first error of a statement. */
  failure: unknown;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  query<R = Row>(
    text: string,
    parameters: readonly Parameter[] = [],
  ): Promise<readonly R[]> {
    return handled(this.#next(text, parameters, false).then((answer) => plain<R>(answer)));
  }

  script(text: string): Promise<void> {
    return handled(this.#next(text, [], true).then(() => {}));
  }

  async end(statement: string): Promise<string | null | undefined> {
    this.over = true;
    await this.#last;
    return (await this.run(statement, [], true)).command;
  }

  run(text: string, parameters: readonly Parameter[], script: boolean) {
    return this.#connection.send(text, parameters, { script });
  }

  /** One statement at a time: otherwise the driver would pipeline them all on a busy connection. */
  #next(text: string, parameters: readonly Parameter[], script: boolean) {
    if (this.over) return Promise.reject(this.#connection.lost ?? ended());
    this.running++;
    const answer = this.#last.then(() => this.run(text, parameters, script));
    this.#last = answer.then(() => {
      this.running--;
    }, (error) => {
      this.running--;
      this.failure ??= error;
    });
    return answer;
  }
}

function givenUp(): DatabaseError {
  return new DatabaseError("CONNECTION_ENDED", "The transaction was abandoned");
}

function ended(): DatabaseError {
  return new DatabaseError(
    "TRANSACTION_ENDED",
    "Cannot run a statement: its transaction has ended",
  );
}

/** The failure of a statement that is never awaited must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
