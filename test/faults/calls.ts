import {
  type Hephaestus,
  HephaestusError,
  NotCancellableError,
  NotWaitingError,
} from "../../mod.ts";
import type { AnyWorkflow } from "../../src/types.ts";
import type { Call } from "./plan.ts";
import { everything } from "./hostile.ts";
import { answer, bids, quick, tour } from "./flow.ts";
import { call, desk, sign } from "./workflows.ts";

/** What may be delivered, by the wait that it ends. */
const deliveries = {
  sign: [desk, sign.emit.ok()],
  call: [desk, call.emit.ok()],
  answer: [tour, answer.emit.yes()],
  quick: [bids, quick.emit.yes()],
} as const;
const workflows: Readonly<Record<keyof typeof everything, AnyWorkflow>> = everything;
type Waiting = keyof typeof deliveries;

/** What the application was told: it must be found in the database, whatever happened to the processes. */
export interface Told {
  /** Instances that were started. */
  readonly started: Set<string>;
  /** Waits whose delivery was taken: `instance step`. */
  readonly delivered: Set<string>;
  readonly cancelled: Set<string>;
  /** Instances that somebody has retried by hand. */
  readonly retried: Set<string>;
  /** Instances that somebody tried to cancel. */
  readonly maybeCancelled: Set<string>;
}

/** Carries out the calls of a plan as an application does that tries again while the database is away. */
export class Caller {
  readonly told: Told = {
    started: new Set(),
    delivered: new Set(),
    cancelled: new Set(),
    retried: new Set(),
    maybeCancelled: new Set(),
  };
  readonly failures: string[] = [];
  readonly #hephaestus: Hephaestus;
  readonly #ids = new Map<string, Promise<string>>();
  readonly #patience: number;

  constructor(hephaestus: Hephaestus, patience: number) {
    this.#hephaestus = hephaestus;
    this.#patience = patience;
  }

  async make(planned: Call): Promise<void> {
    try {
      await this.#make(planned);
    } catch (error) {
      this.failures.push(`${JSON.stringify(planned)} was refused: ${error}`);
    }
  }

  async #make(planned: Call): Promise<void> {
    switch (planned.kind) {
      case "start":
        this.#remember(planned.key, this.#start(planned.workflow, planned.key));
        return void await this.#ids.get(planned.key);
      case "startMany": {
        const handles = this.#startMany(planned.workflow, planned.keys);
        planned.keys.forEach((key, at) => this.#remember(key, handles.then((ids) => ids[at]!)));
        return void await handles;
      }
      case "deliver": {
        const id = await this.#ids.get(planned.key);
        if (id === undefined) return;
        const { step, after, times } = planned;
        await Promise.all(Array.from({ length: times }, () => this.deliver(id, step, after)));
        return;
      }
      case "retry":
      case "cancel": {
        const id = await this.#ids.get(planned.key);
        if (id === undefined) return;
        await (planned.kind === "retry"
          ? this.retry(planned.workflow, id)
          : this.#cancel(planned.workflow, id));
      }
    }
  }

  #remember(key: string, id: Promise<string>): void {
    id.catch(() => {});
    this.#ids.set(key, id);
  }

  async #start(workflow: keyof typeof everything, key: string): Promise<string> {
    const { id } = await this.#again(() =>
      this.#hephaestus.start(workflows[workflow], key, { n: 1 }, { onConflict: "return" })
    );
    this.told.started.add(id);
    return id;
  }

  async #startMany(
    workflow: keyof typeof everything,
    keys: readonly string[],
  ): Promise<readonly string[]> {
    const items = keys.map((key) => ({ key, input: { n: 1 } }));
    const handles = await this.#again(() => this.#hephaestus.startMany(workflows[workflow], items));
    for (const { id } of handles) this.told.started.add(id);
    return handles.map(({ id }) => id);
  }

  /** Delivers now, or has it delivered in `after` milliseconds. */
  async deliver(id: string, step: Waiting, after = 0): Promise<void> {
    const [workflow, delivery] = deliveries[step];
    try {
      if (after > 0) {
        const delay = { after: `${after}ms` } as const;
        await this.#again(() => this.#hephaestus.scheduleResume(workflow, { id }, delivery, delay));
        return;
      }
      const result = await this.#again(() => this.#hephaestus.resume(workflow, { id }, delivery));
      if (result !== "duplicate") this.told.delivered.add(`${id} ${step}`);
    } catch (error) {
      if (!(error instanceof NotWaitingError)) throw error;
    }
  }

  /** Goes on with an instance that has failed. One that has not is left alone. */
  async retry(workflow: keyof typeof everything, id: string): Promise<void> {
    try {
      await this.#again(() =>
        this.#hephaestus.retry(workflows[workflow], { id }, { by: "faults", reason: "A plan" })
      );
      this.told.retried.add(id);
    } catch (error) {
      if (!(error instanceof HephaestusError) || error.code !== "NOT_RETRYABLE") throw error;
    }
  }

  async #cancel(workflow: keyof typeof everything, id: string): Promise<void> {
    this.told.maybeCancelled.add(id);
    try {
      await this.#again(() => this.#hephaestus.cancel(workflows[workflow], { id }));
      this.told.cancelled.add(id);
    } catch (error) {
      if (!(error instanceof NotCancellableError)) throw error;
    }
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    const end = Date.now() + this.#patience;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const away = error instanceof HephaestusError && error.code === "DATABASE_UNREACHABLE";
        if (!away || Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
