import { Connection } from "./connection.ts";
import type { ConnectOptions } from "./contract.ts";
import { DatabaseError } from "./errors.ts";
import { pauseAfter, sleep } from "./retrying.ts";

export interface Probe {
  /** Milliseconds between two checks that the connection is alive. */
  readonly every: number;
  /** Milliseconds to wait for a response. */
  readonly patience: number;
}

/** The listeners of one channel. */
interface ChannelListener {
  readonly hear: (payload: string) => void;
  readonly ready: () => void;
  readonly trouble: (error: unknown) => void;
}

const backoff = { first: 100, most: 10_000 };
const goodbye = 1_000;

/**
 * Listens to any number of channels on one connection, which is open as long as there are
 * listeners. Notifications are hints: those sent while the connection was down are lost, so the
 * owner looks for work at each `ready`.
 */
export class NotificationListener {
  readonly #options: ConnectOptions;
  readonly #trouble: (error: unknown) => void;
  readonly #heartbeat: Probe;
  readonly #listeners = new Map<string, Set<ChannelListener>>();
  #session: AbortController | undefined;
  #done: Promise<void> = Promise.resolve();
  /** Wakes the session when the wanted channels differ from those it listens to. */
  #changed = new AbortController();

  constructor(
    options: ConnectOptions,
    trouble: (error: unknown) => void = () => {},
    heartbeat: Probe = { every: 10_000, patience: 5_000 },
  ) {
    this.#options = options;
    this.#trouble = trouble;
    this.#heartbeat = heartbeat;
  }

  /**
   * Calls `hear` with each payload, and `ready` whenever some may have been missed, until disposed.
   */
  listen(
    channel: string,
    hear: ChannelListener["hear"],
    ready: ChannelListener["ready"],
    trouble: ChannelListener["trouble"] = () => {},
  ): AsyncDisposable {
    if (new TextEncoder().encode(channel).length > 63) {
      throw new TypeError(`Cannot listen to "${channel}": its name is longer than 63 bytes`);
    }
    const listener = { hear, ready, trouble };
    const others = this.#listeners.get(channel);
    if (others === undefined) this.#listeners.set(channel, new Set([listener]));
    else others.add(listener);
    this.#change();
    return { [Symbol.asyncDispose]: () => this.#leave(channel, listener) };
  }

  async #leave(channel: string, listener: ChannelListener): Promise<void> {
    const all = this.#listeners.get(channel);
    if (!all?.delete(listener)) return;
    if (all.size === 0) this.#listeners.delete(channel);
    if (this.#listeners.size > 0) return this.#change();
    this.#session?.abort();
    this.#session = undefined;
    await this.#done;
  }

  #change(): void {
    if (this.#session !== undefined) return this.#changed.abort();
    const { signal } = this.#session = new AbortController();
    this.#done = this.#done.then(() => this.#forever(signal));
  }

  async #forever(stopped: AbortSignal): Promise<void> {
    for (let failures = 1; !stopped.aborted; failures++) {
      try {
        await this.#listen(stopped, () => failures = 0);
      } catch (error) {
        if (stopped.aborted) return;
        this.#notify(this.#trouble, error);
        for (const { trouble } of this.#all()) this.#notify(trouble, error);
        await sleep(pauseAfter(Math.max(failures, 1), backoff), stopped).catch(() => {});
      }
    }
  }

  async #listen(stopped: AbortSignal, established: () => void): Promise<void> {
    const ended = new AbortController();
    const end = () => ended.abort();
    stopped.addEventListener("abort", end);
    const opening = Connection.open(
      { ...this.#options, deadline: this.#heartbeat.patience },
      {
        onNotify: (payload, channel) => {
          for (const { hear } of this.#listeners.get(channel) ?? []) this.#notify(hear, payload);
        },
        onLost: end,
      },
    );
    // Fetching a password may take long, and the connection opens only when there is something to
    // send.
    const connection = await Promise.race([opening, aborted(ended.signal)]);
    if (connection === undefined) return;
    const notified = new Set<ChannelListener>();
    try {
      for (let asked = new Set<string>();;) {
        this.#changed = new AbortController();
        asked = await this.#ask(connection, asked);
        if (stopped.aborted) return;
        established();
        for (const listener of this.#all()) {
          if (notified.has(listener)) continue;
          notified.add(listener);
          this.#notify(listener.ready);
        }
        const awake = AbortSignal.any([ended.signal, this.#changed.signal]);
        await sleep(this.#heartbeat.every, awake).catch(() => {});
        if (connection.lost) throw connection.lost;
        if (stopped.aborted) return;
      }
    } finally {
      stopped.removeEventListener("abort", end);
      await connection.close(stopped.aborted ? goodbye : 0);
    }
  }

  /**
   * Makes the server listen to the wanted channels. Its response proves that the connection works
   * in both directions, which a silent socket does not.
   */
  async #ask(connection: Connection, before: ReadonlySet<string>): Promise<Set<string>> {
    const wanted = new Set(this.#listeners.keys());
    const statements = [
      ...[...wanted].filter((name) => !before.has(name)).map((name) => `listen ${quoted(name)}`),
      ...[...before].filter((name) => !wanted.has(name)).map((name) => `unlisten ${quoted(name)}`),
    ];
    if (statements.length > 0) {
      await connection.send(statements.join("; "), [], { script: true });
      return wanted;
    }
    const rows = await connection.send("select pg_listening_channels() as channel");
    const there = new Set((rows as readonly { channel: string }[]).map(({ channel }) => channel));
    if ([...wanted].some((channel) => !there.has(channel))) {
      throw new DatabaseError("CONNECTION_CHANGED", "The session no longer listens");
    }
    return wanted;
  }

  #all(): readonly ChannelListener[] {
    return [...this.#listeners.values()].flatMap((all) => [...all]);
  }

  #notify<T extends unknown[]>(owner: (...news: T) => void, ...news: T): void {
    try {
      owner(...news);
    } catch (error) {
      if (owner !== (this.#trouble as unknown)) this.#notify(this.#trouble, error);
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

function quoted(channel: string): string {
  return `"${channel.replaceAll('"', '""')}"`;
}
