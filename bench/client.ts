import { Hephaestus, type Worker } from "../mod.ts";
import { defaultLogger } from "../src/observe/logger.ts";
import type { Options } from "./options.ts";
import { type Usage, usage } from "./own_process.ts";
import { Profile } from "./profile.ts";
import { workloadOf } from "./workloads/mod.ts";

/** The database and schema of a client. */
export interface Place {
  readonly url: string;
  readonly schema: string;
}

/** One process that starts instances and works on them: this one, or a child. */
export interface Client {
  /** Opens an engine and begins to work, unless it only starts instances. */
  open(options: { readonly works: boolean; readonly profile?: string | undefined }): Promise<void>;
  /** Starts a share of the instances: keys `from` to `from + count - 1` after a prefix. */
  start(prefix: string, from: number, count: number): Promise<void>;
  /** Instances that have ended here since `open`. */
  readonly ended: number;
  usage(): Promise<Usage>;
  /** Closes the engine. */
  close(): Promise<void>;
}

/** A client in this process. */
export class LocalClient implements Client {
  readonly #place: Place;
  readonly #options: Options;
  readonly #changed: (problem?: string) => void;
  #engine: Hephaestus | undefined;
  #worker: Worker | undefined;
  #profile: Profile | undefined;
  ended = 0;

  /** `changed` is called when an instance ends, with a sentence if it ends in an unexpected way. */
  constructor(place: Place, options: Options, changed: (problem?: string) => void) {
    this.#place = place;
    this.#options = options;
    this.#changed = changed;
  }

  async open({ works, profile }: Parameters<Client["open"]>[0]): Promise<void> {
    const { inline, slots } = this.#options;
    const { url, schema } = this.#place;
    const engine = new Hephaestus({
      url,
      schema,
      inline,
      workflows: [workloadOf(this.#options).workflow],
      payloadLimit: 10_000_000,
      logger: defaultLogger,
    });
    this.#engine = engine;
    this.ended = 0;
    engine.on("workflow:stop", () => {
      this.ended++;
      this.#changed();
    });
    engine.on("workflow:exception", ({ key, error }) => {
      this.#changed(`Instance "${key}" failed: ${error.message}`);
    });
    if (works) {
      this.#worker = engine.work({ queues: { default: slots } });
      await this.#worker.ready;
    }
    this.#profile = profile === undefined ? undefined : await Profile.begin(profile);
  }

  async start(prefix: string, from: number, count: number): Promise<void> {
    if (this.#engine === undefined) throw new Error("Cannot start instances: no engine is open");
    await workloadOf(this.#options).start(this.#engine, prefix, from, count);
  }

  usage(): Promise<Usage> {
    return Promise.resolve(usage());
  }

  async close(): Promise<void> {
    await this.#profile?.end();
    await this.#engine?.close();
    this.#engine = undefined;
    this.#profile = undefined;
  }
}
