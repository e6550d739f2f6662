import { Connection } from "./connection.ts";
import { DatabaseError } from "./connection_error.ts";
import type { ConnectOptions } from "./db.ts";

const goodbye = 2_000;

/** At most `max` connections, each lent to one caller at a time and dropped once it was lost. */
export class Pool {
  readonly #options: ConnectOptions;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: { readonly go: () => void; readonly refuse: (error: Error) => void }[] = [];
  #free: number;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.#free = options.max ?? 10;
  }

  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#slot();
    try {
      const connection = this.#idle.pop() ?? await this.#open();
      try {
        return await work(connection);
      } finally {
        if (!connection.lost) this.#idle.push(connection);
      }
    } finally {
      this.#release();
    }
  }

  /** Lets what runs end, for at most `patience` milliseconds, then destroys every socket. */
  close(patience: number): Promise<void> {
    return this.#closing ??= this.#close(patience);
  }

  async #close(patience: number): Promise<void> {
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed());
    const max = this.#options.max ?? 10;
    if (this.#free < max) {
      let timer;
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        timer = setTimeout(resolve, patience);
      });
      clearTimeout(timer);
    }
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close(goodbye)));
    const cut = new DatabaseError("CONNECTION_ENDED", "The database was closed before the answer");
    for (const connection of this.#all) connection.destroy(cut);
  }

  async #slot(): Promise<void> {
    if (this.#closing) throw closed();
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go, refuse) => this.#waiting.push({ go, refuse }));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) return next.go();
    this.#free++;
    if (this.#free === (this.#options.max ?? 10)) this.#drained?.();
  }

  async #open(): Promise<Connection> {
    const connection: Connection = await Connection.open(this.#options, {
      onLost: () => {
        this.#all.delete(connection);
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

function closed(): DatabaseError {
  return new DatabaseError("DATABASE_CLOSED", "Cannot run a statement: the database was closed");
}
