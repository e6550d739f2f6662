import { Connection } from "./connection.ts";
import type { ConnectOptions } from "./contract.ts";
import { DatabaseError } from "./errors.ts";

const goodbye = 1_000;

interface Waiter {
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

/**
 * At most `max` connections, each lent to one caller at a time and discarded once it is lost. A
 * caller that waits is rejected after `patience` milliseconds, and a connection that was not used
 * for `idle` milliseconds is closed.
 */
export class Pool {
  readonly #options: ConnectOptions;
  readonly #max: number;
  readonly #all = new Set<Connection>();
  /** Last in, first out, so the connections that have been idle longest come first. */
  readonly #idle: Idle[] = [];
  readonly #waiting = new Set<Waiter>();
  #free: number;
  #closing: Promise<void> | undefined;
  #cut = false;
  #drained: (() => void) | undefined;
  #sweeping: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#free = this.#max = options.max ?? 10;
  }

  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#slot();
    let connection: Connection | undefined;
    try {
      connection = this.#idle.pop()?.connection ?? await this.#open();
      return await work(connection);
    } finally {
      this.#giveBack(connection);
    }
  }

  /**
   * Lets running statements end for at most `patience` milliseconds, then destroys every socket.
   */
  close(patience: number): Promise<void> {
    return this.#closing ??= this.#close(patience);
  }

  async #close(patience: number): Promise<void> {
    clearTimeout(this.#sweeping);
    for (const { refuse } of this.#waiting) refuse(closed());
    const parting = () => this.#idle.splice(0).map(({ connection }) => connection.close(goodbye));
    const parted = parting();
    if (this.#free < this.#max) {
      let timer;
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        timer = setTimeout(resolve, patience);
      });
      clearTimeout(timer);
    }
    await Promise.all([...parted, ...parting()]);
    this.#cut = true;
    for (const connection of this.#all) connection.destroy(cutOff());
  }

  async #slot(): Promise<void> {
    if (this.#closing) throw closed();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const { patience = 30_000 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        go: () => (settle(), resolve()),
        refuse: (error) => (settle(), reject(error)),
      };
      const timer = setTimeout(() => waiter.refuse(this.#exhausted(patience)), patience);
      this.#waiting.add(waiter);
    });
  }

  #exhausted(patience: number): DatabaseError {
    const { purpose } = this.#options;
    const which = `${this.#max === 1 ? "the connection" : `all ${this.#max} connections`}${
      purpose ? ` for ${purpose.name}` : ""
    }`;
    const advice = purpose ? `. Raise poolSize, which is ${purpose.poolSize}` : "";
    return new DatabaseError(
      "POOL_EXHAUSTED",
      `${which} ${this.#max === 1 ? "was" : "were"} busy for ${patience} ms${advice}`,
    );
  }

  /** The caller already has its result. Clean up before the next caller uses the connection. */
  #giveBack(connection: Connection | undefined): void {
    const { clean, prepare } = this.#options;
    const cleaned = clean === undefined || prepare === false;
    if (connection === undefined || connection.lost || cleaned) {
      return this.#rest(connection);
    }
    connection.send(clean, [], { script: true })
      .catch((error) => connection.destroy(error))
      .then(() => this.#rest(connection));
  }

  #rest(connection: Connection | undefined): void {
    if (connection !== undefined && !connection.lost) {
      this.#idle.push({ connection, since: performance.now() });
      this.#sweepLater();
    }
    this.#release();
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next !== undefined) return next.go();
    this.#free++;
    if (this.#free === this.#max) this.#drained?.();
  }

  #sweepLater(): void {
    const { idle = 60_000 } = this.#options;
    const [first] = this.#idle;
    if (first === undefined || this.#sweeping !== undefined || this.#closing) return;
    this.#sweeping = setTimeout(() => {
      this.#sweeping = undefined;
      this.#sweep(performance.now() - idle);
    }, Math.max(0, first.since + idle - performance.now()));
  }

  /**
   * Closes connections that have been idle since `before`. Each keeps its place until the server
   * has closed the session.
   */
  #sweep(before: number): void {
    while (this.#free > 0 && this.#idle[0] !== undefined && this.#idle[0].since <= before) {
      this.#free--;
      this.#idle.shift()!.connection.close(goodbye).then(() => this.#release());
    }
    this.#sweepLater();
  }

  async #open(): Promise<Connection> {
    const connection: Connection = await Connection.open(this.#options, {
      onLost: () => {
        this.#all.delete(connection);
        const at = this.#idle.findIndex((one) => one.connection === connection);
        if (at >= 0) this.#idle.splice(at, 1);
      },
    });
    this.#all.add(connection);
    // The pool was closed before the password was available.
    if (this.#cut) connection.destroy(cutOff());
    return connection;
  }
}

function closed(): DatabaseError {
  return new DatabaseError("DATABASE_CLOSED", "Cannot run a statement: the database was closed");
}

function cutOff(): DatabaseError {
  return new DatabaseError("CONNECTION_ENDED", "The database was closed before it answered");
}
