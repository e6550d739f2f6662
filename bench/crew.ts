import { type Client, LocalClient, type Place } from "./client.ts";
import { ChildClient } from "./child.ts";
import type { Options } from "./options.ts";
import type { Usage } from "./own_process.ts";

const patience = 600_000;

/**
 * The processes of a run: this one, or the requested number of children. Each starts its share of
 * the instances.
 */
export class Crew implements AsyncDisposable {
  readonly #clients: readonly Client[];
  #changed: () => void = () => {};
  #problem: string | undefined;

  constructor(place: Place, options: Options) {
    const changed = (problem?: string): void => {
      this.#problem ??= problem;
      this.#changed();
    };
    this.#clients = options.processes === 1
      ? [new LocalClient(place, options, changed)]
      : Array.from({ length: options.processes }, () => new ChildClient(place, options, changed));
  }

  async open(profile?: string): Promise<void> {
    await Promise.all(
      this.#clients.map((client, index) =>
        client.open({
          works: true,
          profile: profile && (index === 0 ? profile : `${profile}.${index}`),
        })
      ),
    );
  }

  /** Starts `count` instances and waits until all have ended. */
  async run(prefix: string, count: number): Promise<void> {
    const before = this.#ended();
    const all = this.#until(() => this.#ended() - before >= count);
    const share = Math.ceil(count / this.#clients.length);
    const starting = this.#clients.map((client, index) => {
      const from = Math.min(index * share, count);
      return client.start(prefix, from, Math.min(share, count - from));
    });
    await Promise.all([all, ...starting]);
  }

  #ended(): number {
    return this.#clients.reduce((sum, { ended }) => sum + ended, 0);
  }

  #until(reached: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () =>
          reject(
            new Error(`Cannot measure: ${this.#ended()} instances have ended in ${patience} ms`),
          ),
        patience,
      );
      this.#changed = () => {
        if (this.#problem === undefined && !reached()) return;
        clearTimeout(late);
        if (this.#problem === undefined) resolve();
        else reject(new Error(this.#problem));
      };
      this.#changed();
    });
  }

  async usage(): Promise<Usage> {
    const all = await Promise.all(this.#clients.map((client) => client.usage()));
    const counted = all.every(({ statements }) => statements !== undefined);
    return {
      cpu: sum(all.map(({ cpu }) => cpu)),
      statements: counted ? sum(all.map(({ statements }) => statements ?? 0)) : undefined,
      size: Math.max(...all.map(({ size }) => size)),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    for (const client of this.#clients) if (client instanceof ChildClient) client.exit();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
