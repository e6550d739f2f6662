import { deliverStep, startStep } from "../backend/from_sql.ts";
import type { NewJob } from "../backend/job.ts";
import type { Lease } from "../backend/queue.ts";
import type { InstanceState } from "../backend/store.ts";
import type { Activation } from "../core/engine/activation.ts";
import type { EndedInstance } from "../core/engine/instance.ts";
import { HephaestusError } from "../core/errors/errors.ts";
import { failure } from "../core/value/failure.ts";
import { OutageLog } from "../observe/outage_log.ts";
import { Claims } from "./claim/claims.ts";
import { Running, type RunningJob } from "./claim/running.ts";
import { type SlotHold, Slots } from "./claim/slots.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import { deliverFromSql } from "./incoming/sql_delivery.ts";
import { beginFromSql } from "./incoming/sql_start.ts";
import { aboutJob } from "./observe.ts";
import { execute } from "./run/execute.ts";
import { Failures } from "./run/failures.ts";
import { resume } from "./run/resume.ts";
import type { WorkerContext } from "./run/worker_context.ts";
import type { Runtime } from "./runtime.ts";
import { Committer } from "./turn/committer.ts";
import { begun, delayOf } from "./turn/hand_over.ts";
import { InstanceCache } from "./turn/instance_cache.ts";
import { Recorder } from "./turn/recorder.ts";
import { Heartbeat, type Timing } from "./upkeep/heartbeat.ts";
import { LongSteps } from "./upkeep/long_steps.ts";
import { Upkeep } from "./upkeep/maintenance.ts";
import { leave, Registration } from "./upkeep/registration.ts";
import { Shutdown } from "./upkeep/shutdown.ts";

/** Options of a worker process. Times in milliseconds. */
export interface ProcessOptions extends Timing {
  /** The name of the process in the database and in the log. */
  readonly name: string;
  readonly queues: ReadonlyMap<string, number>;
  readonly poll: number;
  /** How long running steps may continue after a stop. */
  readonly grace: number;
  /** How long discarded and cancelled jobs are kept. */
  readonly keep: number;
  /** How long a step may run before the log mentions it; 0 disables this. */
  readonly warnAfter: number;
  /** Called with the id of an instance that has become final here. */
  readonly finished: Host["finished"];
}

/** A process that works: it claims and runs jobs, sends heartbeats, and does maintenance. */
export class WorkerProcess implements Host {
  readonly slots: Slots;
  readonly #running = new Running();
  readonly #runtime: Runtime;
  readonly #options: ProcessOptions;
  readonly #workers: WorkerContext;
  readonly #shutdown = new Shutdown();
  readonly #registration: Registration;
  readonly #claims: Claims;
  readonly #heartbeat: Heartbeat;
  readonly #upkeep: Upkeep;
  readonly #longSteps: LongSteps;
  #listener: AsyncDisposable | undefined;
  /** Leases of jobs whose attempts failed and whose verdicts could not be written. */
  readonly #unsettled: Lease[] = [];
  #stops = false;
  #process = "";
  #stopping: Promise<void> | undefined;
  readonly #starting: Promise<void>;

  constructor(runtime: Runtime, options: ProcessOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.slots = new Slots(options.queues);
    const instances = new InstanceCache(runtime.backend.store, runtime.graphs);
    const failures = new Failures(runtime, this, instances);
    const recorder = new Recorder(runtime, this, failures);
    const committer = new Committer(runtime, this, instances, recorder, failures);
    this.#workers = { runtime, host: this, instances, committer, recorder, failures };
    const { name, lease, queues } = options;
    const workflows = runtime.registry.all().map(({ name, version, fingerprint }) => ({
      workflow: name,
      version,
      graph: fingerprint,
    }));
    const serving = { queues: [...queues.keys()], workflows };
    this.#registration = new Registration(runtime, { name, lease, serving }, this.givenUp);
    this.#claims = new Claims(runtime, this, instances, options);
    this.#heartbeat = new Heartbeat(runtime, this, options);
    this.#longSteps = new LongSteps(runtime, instances, this.#running, options.warnAfter);
    this.#upkeep = new Upkeep(runtime, options, (queues) => this.#claims.wake(queues));
    this.#starting = this.#start();
    this.#starting.catch(() => {});
  }

  get process(): string {
    return this.#process;
  }

  get accepting(): boolean {
    return !this.#stops && !this.#claims.exclusive;
  }

  get givenUp(): AbortSignal {
    return this.#shutdown.givenUp;
  }

  get running(): ReadonlyMap<string, RunningJob> {
    return this.#running.jobs;
  }

  /**
   * Resolves once it works or was stopped. Rejects when waiting is pointless, for example when the
   * tables are newer than the code.
   */
  get ready(): Promise<void> {
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { logger } = this.#runtime;
    try {
      this.#process = await this.#registration.begin() ?? "";
    } catch (error) {
      const reported = failure(error);
      logger.error(`Cannot start the worker, and retrying cannot help: ${reported.message}`, {
        error: reported,
      });
      throw error;
    }
    if (this.#stops) return;
    this.#listener = this.#listen();
    this.#heartbeat.start();
    for (const part of this.#loops) part.start();
    this.#runtime.telemetry.emit("runner:init", {
      process: this.#process,
      queues: Object.fromEntries(this.#options.queues),
      workflows: this.#runtime.graphs.served(),
    });
  }

  /** The loops that end when no new work may begin. The heartbeat continues while jobs run. */
  get #loops() {
    return [this.#claims, this.#upkeep, this.#longSteps];
  }

  #listen(): AsyncDisposable {
    const { backend, logger } = this.#runtime;
    const outage = new OutageLog(logger, "listen for notifications");
    return backend.queue.listen((queues) => {
      if (queues.length === 0) outage.over();
      this.wake(queues);
    }, (error) => outage.failed(error));
  }

  begin(job: OwnedJob): void {
    // The response to this claim came too late.
    if (this.#shutdown.graceOver.aborted) {
      job.slot.release();
      return this.#refuse([leaseOf(job)]);
    }
    const cancellation = this.#running.add(job);
    if (job.kind === "advance") this.#workers.committer.submit(job);
    else if (job.kind === "resume") void resume(this.#workers, job);
    else if (job.step === startStep) void beginFromSql(this.#workers, job);
    else if (job.step === deliverStep) void deliverFromSql(this.#workers, job);
    else execute(this.#workers, job, cancellation);
  }

  done(job: OwnedJob): void {
    this.#running.remove(job);
    job.slot.release();
    this.#claims.done(job);
  }

  unsettled(job: OwnedJob): void {
    this.#unsettled.push(leaseOf(job));
  }

  stopped(job: OwnedJob): void {
    const { telemetry } = this.#runtime;
    if (!telemetry.has("job:stop")) return;
    const running = this.running.get(job.id);
    if (running?.job !== job) return;
    telemetry.emit("job:stop", { ...aboutJob(job), duration: performance.now() - running.began });
  }

  /**
   * Takes over an instance that was just started here under the id `process`, with its executing
   * jobs.
   */
  adopt(
    process: string,
    state: InstanceState,
    started: readonly NewJob[],
    slots: SlotHold,
  ): void {
    const taken = this.accepting && process === this.#process;
    const owned = started.filter(({ owned }) => owned);
    if (!taken) this.#refuse(owned.map(({ id }) => ({ process, id, token: 1 })));
    else if (owned.length > 0) this.#workers.instances.set(state);
    else this.#workers.instances.offer(state);
    for (const job of started) {
      if (!job.owned) this.expect(job.queue, delayOf(job, state.insertedAt));
      else if (taken) {
        this.begin(begun(job, process, slots.handOver(job.queue), state.insertedAt));
      }
    }
  }

  /**
   * The response came after a stop, or after this process was declared dead: another process may
   * have the jobs already.
   */
  #refuse(leases: readonly Lease[]): void {
    this.#runtime.backend.queue.release(leases).catch((error) => {
      this.#runtime.logger.warn("Cannot return jobs to the queue", { error: failure(error) });
    });
  }

  yields(queue: string): boolean {
    return this.#claims.overdue(queue);
  }

  expect(queue: string, delay: number): void {
    if (delay > 0) this.#upkeep.expect(delay);
    else this.#claims.wake([queue]);
  }

  abort(instance: string, reason: Error, one?: Activation): void {
    this.#running.abort(reason, instance, one);
  }

  finished(instance: string, final?: EndedInstance): void {
    this.#options.finished(instance, final);
  }

  lost(job: OwnedJob): void {
    this.#workers.instances.forget(job.instance);
    this.running.get(job.id)?.cancellation.abort(
      new HephaestusError("CANCELLED", `This process no longer owns the job of step "${job.step}"`),
    );
  }

  async dead(): Promise<void> {
    this.#runtime.logger.error(
      "This process was declared dead. It aborts its running jobs and registers again",
      { process: this.#process, jobs: this.running.size },
    );
    this.#running.abort(new HephaestusError("CANCELLED", "The process was declared dead"));
    this.#process = await this.#registration.beginAgain() ?? this.#process;
  }

  /** These queues may have new work. An empty list means that anything may have changed. */
  wake(queues: readonly string[]): void {
    if (queues.length === 0) this.#upkeep.expect(0);
    this.#claims.wake(queues);
  }

  /**
   * Stops claiming, lets running steps finish for `grace` milliseconds, then aborts the rest and
   * gives them back. A second call with a shorter time shortens the wait.
   */
  stop(grace: number = this.#options.grace): Promise<void> {
    this.#shutdown.limit(grace);
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#stops = true;
    if (this.#process === "") this.#shutdown.giveUp();
    await this.#starting.catch(() => {});
    await this.#shutdown.run({
      process: this.#process,
      logger: this.#runtime.logger,
      running: this.#running,
      registered: this.#registration.settled,
      endLoops: () => Promise.all(this.#loops.map((part) => part.stop())),
      leave: () => this.#leave(),
    });
  }

  async #leave(): Promise<void> {
    await Promise.all([this.#heartbeat.stop(), this.#listener?.[Symbol.asyncDispose]()]);
    if (this.#process === "") return;
    const { backend: { queue } } = this.#runtime;
    // The remaining steps ignore their signal: their results will fail on the lost lease. Attempts
    // that ran and failed stay counted.
    const counted = [...this.#running.leases(), ...this.#unsettled];
    await leave(queue, this.#process, this.#options.lease, counted);
  }
}
