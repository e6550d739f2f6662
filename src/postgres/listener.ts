import { Connection } from "./connection.ts";
import { DatabaseError } from "./connection_error.ts";
import type { ConnectOptions } from "./db.ts";
import { pauseAfter, sleep } from "./retrying.ts";

export interface Heartbeat {
  /** Milliseconds between two questions whether the server still has us. */
  readonly every: number;
  /** Milliseconds that an answer may take. */
  readonly patience: number;
}

const backoff = { first: 100, most: 10_000 };

/**
 * Listens to a channel on a connection of its own until disposed. A notification is a hint: those
 * sent while the connection was away are lost, so the owner looks for work at each `ready`.
 */
export function listen(
  options: ConnectOptions,
  channel: string,
  hear: (payload: string) => void,
  ready: () => void,
  trouble: (error: unknown) => void = () => {},
  heartbeat: Heartbeat = { every: 10_000, patience: 5_000 },
): AsyncDisposable {
  if (new TextEncoder().encode(channel).length > 63) {
    throw new TypeError(`Cannot listen to "${channel}": its name is longer than 63 bytes`);
  }
  const stopped = new AbortController();
  const tell = <T extends unknown[]>(owner: (...news: T) => void, ...news: T) => {
    try {
      owner(...news);
    } catch (error) {
      if (owner !== (trouble as unknown)) tell(trouble, error);
    }
  };

  const session = async (established: () => void): Promise<void> => {
    const ended = new AbortController();
    const end = () => ended.abort();
    const connection = await Connection.open({ ...options, deadline: heartbeat.patience }, {
      onNotify: (payload) => tell(hear, payload),
      onLost: end,
    });
    stopped.signal.addEventListener("abort", end);
    try {
      await connection.send(`listen "${channel.replaceAll('"', '""')}"`);
      if (stopped.signal.aborted) return;
      established();
      tell(ready);
      for (;;) {
        await sleep(heartbeat.every, ended.signal).catch(() => {});
        if (connection.lost) throw connection.lost;
        if (stopped.signal.aborted) return;
        // The answer proves the way there and back, which a silent socket does not.
        const rows = await connection.send("select pg_listening_channels() as channel");
        if (!(rows as readonly { channel: string }[]).some((row) => row.channel === channel)) {
          throw new DatabaseError("CONNECTION_CHANGED", "The session no longer listens");
        }
      }
    } finally {
      stopped.signal.removeEventListener("abort", end);
      await connection.close(stopped.signal.aborted ? heartbeat.patience : 0);
    }
  };

  const forever = async (): Promise<void> => {
    for (let failures = 1; !stopped.signal.aborted; failures++) {
      try {
        await session(() => failures = 0);
      } catch (error) {
        if (stopped.signal.aborted) return;
        tell(trouble, error);
        await sleep(pauseAfter(Math.max(failures, 1), backoff), stopped.signal).catch(() => {});
      }
    }
  };

  const done = forever();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await done;
    },
  };
}
