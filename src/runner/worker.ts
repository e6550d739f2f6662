import { HephaestusError } from "../core/errors.ts";
import { failure } from "../core/failure.ts";
import type { Instance } from "../core/instance.ts";
import type { NewJob } from "../queue/job.ts";
import { Loop } from "../queue/loop.ts";
import type { Lease } from "../queue/queue.ts";
import type { Known } from "../store/store.ts";
import { Cancellation } from "./cancellation.ts";
import { Claims } from "./claims.ts";
import { Committer } from "./committer.ts";
import type { Workers } from "./attempt.ts";
import { execute, givenBack } from "./execute.ts";
import { Failures } from "./failures.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import { Instances } from "./instances.ts";
import type { Parts } from "./parts.ts";
import { begun } from "./ready.ts";
import { Pulse, type Timing } from "./pulse.ts";
import { Recorder } from "./recorder.ts";
import { resume } from "./resume.ts";
import { Slots } from "./slots.ts";
import { isUnreachable, pause } from "./trouble.ts";
import { UnservedJobs } from "./unserved.ts";

/** How a process works. Times in milliseconds. */
export interface WorkOptions extends Timing {
  /** What the process is called in the database and in the log. */
  readonly name: string;
  readonly queues: ReadonlyMap<string, number>;
  readonly poll: number;
  /** How long running steps may go on after a stop. */
  readonly grace: number;
  /** How long discarded and cancelled jobs are kept. */
  readonly keep: number;
  /** Called with the id of an instance that has become final here. */
  readonly finished: Host["finished"];
}

interface Running {
  readonly job: OwnedJob;
  readonly cancellation: Cancellation;
}

const stageAtMost = 500;
const busyPause = 20;
const pruneAtMost = 1_000;

/** A process that works: it claims jobs and runs them, sends heartbeats, and looks after what is due. */
export class Worker implements Host {
  readonly slots: Slots;
  readonly running: Map<string, Running> = new Map();
  readonly #parts: Parts;
  readonly #options: WorkOptions;
  readonly #workers: Workers;
  readonly #givenUp = new AbortController();
  readonly #claims: Claims;
  readonly #pulse: Pulse;
  readonly #stager: Loop;
  readonly #janitor: Loop;
  #listener: AsyncDisposable | undefined;
  readonly #unserved = new UnservedJobs();
  /** Leases of jobs whose attempts have failed and could not be written down. */
  readonly #unsettled: Lease[] = [];
  #accepting = true;
  #process = "";
  #stopping: Promise<void> | undefined;
  /** Those that wait until nothing runs. */
  readonly #drains = new Set<() => void>();
  readonly #starting: Promise<void>;

  constructor(parts: Parts, options: WorkOptions) {
    this.#parts = parts;
    this.#options = options;
    this.slots = new Slots(options.queues);
    const instances = new Instances(parts.backend.store);
    const failures = new Failures(parts, this, instances);
    const recorder = new Recorder(parts, this, failures);
    const committer = new Committer(parts, this, instances, recorder, failures);
    this.#workers = { parts, host: this, instances, committer, recorder, failures };
    const { logger } = parts;
    this.#claims = new Claims(parts, this, instances, options.poll);
    this.#pulse = new Pulse(parts, this, options);
    this.#stager = new Loop({
      name: "make due jobs available",
      interval: options.poll,
      logger,
      round: () => this.#stage(),
    });
    this.#janitor = new Loop({
      name: "clean up",
      interval: options.lease,
      logger,
      round: () => this.#cleanUp(),
    });
    this.#starting = this.#start();
    this.#starting.catch(() => {});
  }

  get process(): string {
    return this.#process;
  }

  get accepting(): boolean {
    return this.#accepting;
  }

  get givenUp(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Resolves once it works. Rejects when the tables are missing or the database refuses. */
  get ready(): Promise<void> {
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { backend, logger } = this.#parts;
    for (let waited = false;; waited = true) {
      try {
        await backend.ready();
        this.#process = await backend.queue.register(this.#options.name, this.#options.lease);
        if (waited) logger.info("The database is there: work begins", { process: this.#process });
        break;
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        // Twice a second: the log needs it once.
        if (!waited) {
          logger.warn("Cannot begin to work: it is tried again", { error: failure(error) });
        }
        if (!(await pause(this.givenUp))) return;
      }
    }
    if (!this.#accepting) return;
    this.#listener = backend.queue.listen((queues) => this.wake(queues));
    for (const part of [this.#claims, this.#pulse, this.#stager, this.#janitor]) part.start();
    this.#parts.telemetry.emit("runner:init", {
      process: this.#process,
      queues: Object.fromEntries(this.#options.queues),
      workflows: this.#parts.registry.served(),
    });
  }

  begin(job: OwnedJob): void {
    const cancellation = new Cancellation();
    this.running.set(job.id, { job, cancellation });
    if (job.kind === "advance") this.#workers.committer.submit(job);
    else if (job.kind === "resume") void resume(this.#workers, job);
    else execute(this.#workers, job, cancellation);
  }

  done(job: OwnedJob): void {
    if (this.running.get(job.id)?.job === job) this.running.delete(job.id);
    job.slot.release();
    this.#claims.slotFree(job.queue);
    if (this.running.size > 0) return;
    for (const drained of this.#drains) drained();
  }

  unsettled(job: OwnedJob): void {
    this.#unsettled.push(leaseOf(job));
  }

  /** Takes over an instance that was just started here under the id `process`, with the jobs that are executing. */
  adopt(process: string, known: Known, started: readonly NewJob[]): void {
    const taken = this.#accepting && process === this.#process;
    const owned = started.filter(({ owned }) => owned);
    if (!taken) this.#refuse(owned.map(({ id }) => ({ process, id, token: 1 })));
    else if (owned.length > 0) this.#workers.instances.set(known);
    else this.#workers.instances.offer(known);
    for (const job of started) {
      if (!job.owned) this.expect(job.queue, job.delay);
      else if (taken) this.begin(begun(job, process, this.slots.hold(job.queue)));
    }
  }

  /** The answer came after a stop, or after this process was declared dead: somebody else may have the jobs already. */
  #refuse(leases: readonly Lease[]): void {
    this.#parts.backend.queue.release(leases).catch((error) => {
      this.#parts.logger.warn("Cannot give jobs back", { error: failure(error) });
    });
  }

  yields(queue: string): boolean {
    return this.#claims.overdue(queue);
  }

  expect(queue: string, delay: number): void {
    if (delay > 0) this.#stager.wakeIn(delay);
    else this.#claims.wake([queue]);
  }

  abort(instance: string, reason: Error): void {
    for (const { job, cancellation } of this.running.values()) {
      if (job.instance === instance && job.kind === "execute") cancellation.abort(reason);
    }
  }

  finished(instance: string, final?: Instance): void {
    this.#options.finished(instance, final);
  }

  lost(job: OwnedJob): void {
    this.#workers.instances.forget(job.instance);
    this.running.get(job.id)?.cancellation.abort(
      new HephaestusError("CANCELLED", `The job of step "${job.step}" is no longer this process's`),
    );
  }

  async dead(): Promise<void> {
    this.#parts.logger.error(
      "The process was declared dead: it drops what it runs and begins again",
      { process: this.#process, jobs: this.running.size },
    );
    const reason = new HephaestusError("CANCELLED", "The process was declared dead");
    for (const { cancellation } of this.running.values()) cancellation.abort(reason);
    this.#process = await this.#parts.backend.queue.register(
      this.#options.name,
      this.#options.lease,
    );
  }

  /** These queues may have got work; with none, anything may have happened. */
  wake(queues: readonly string[]): void {
    if (queues.length === 0) this.#stager.wake();
    this.#claims.wake(queues);
  }

  async #stage(): Promise<number | undefined> {
    const { queue } = this.#parts.backend;
    const due = await queue.nextDue(this.#options.poll);
    if (due > 0) return due;
    const queues = await queue.stage(stageAtMost);
    if (queues.length > 0) this.#claims.wake(queues);
    // Due, and yet nothing was staged: somebody else has locked it.
    return queues.length > 0 ? 0 : busyPause;
  }

  async #cleanUp(): Promise<number | undefined> {
    await this.#unserved.look(this.#parts);
    const { queue } = this.#parts.backend;
    return await queue.prune(this.#options.keep, pruneAtMost) === pruneAtMost ? 0 : undefined;
  }

  /**
   * Stops claiming, lets running steps end for `grace` milliseconds, aborts the rest and gives it back. Asked again
   * with a shorter time, it waits no longer than that.
   */
  stop(grace: number = this.#options.grace): Promise<void> {
    if (this.#stopping !== undefined) {
      void pause(this.givenUp, grace).then(() => this.#giveBackRunning());
    }
    return this.#stopping ??= this.#stop(grace);
  }

  async #stop(grace: number): Promise<void> {
    this.#accepting = false;
    if (this.#process === "") this.#givenUp.abort();
    await this.#starting.catch(() => {});
    await Promise.all([this.#claims.stop(), this.#stager.stop(), this.#janitor.stop()]);
    if (!(await this.#drained(grace))) {
      this.#giveBackRunning();
      await this.#drained(Math.min(this.#options.lease, 5_000));
    }
    this.#givenUp.abort();
    await this.#pulse.stop();
    await this.#listener?.[Symbol.asyncDispose]();
    await this.#leave().catch((error) => {
      this.#parts.logger.warn("Cannot leave in order: the lease ends by itself", {
        error: failure(error),
      });
    });
  }

  #giveBackRunning(): void {
    for (const { cancellation } of this.running.values()) cancellation.abort(givenBack);
  }

  async #leave(): Promise<void> {
    const { queue } = this.#parts.backend;
    if (this.#process === "") return;
    // What is left ignores its signal: its result will find that the lease is gone. What has run and failed stays counted.
    const left = [...this.running.values()].map(({ job }) => leaseOf(job));
    const counted = [...left, ...this.#unsettled];
    if (counted.length > 0) await queue.release(counted, { counted: true });
    const beat = await queue.heartbeat(this.#process, this.#options.lease);
    if (beat && beat.owned.length > 0) await queue.release(beat.owned);
    await queue.unregister(this.#process);
  }

  /** Whether nothing runs any more, within so many milliseconds. */
  async #drained(patience: number): Promise<boolean> {
    if (this.running.size === 0) return true;
    const deadline = new AbortController();
    const drained = () => deadline.abort();
    this.#drains.add(drained);
    const late = await pause(deadline.signal, patience);
    this.#drains.delete(drained);
    return !late;
  }
}
