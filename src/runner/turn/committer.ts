import { filtered } from "../../core/engine/filtered.ts";
import { isPromise } from "../../core/value/promise.ts";
import type { UnreadResult, Written } from "../../backend/store.ts";
import { applied } from "./after_commit.ts";
import type { Failures } from "../run/failures.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { InstanceCache } from "./instance_cache.ts";
import { Lanes, type Line, Lines } from "./batches.ts";
import type { Runtime } from "../runtime.ts";
import { sayRefused } from "../observe.ts";
import { passes, type Plan, type Planned, planOrLoad, type Submission } from "./plan.ts";
import { ready, takeBack } from "./hand_over.ts";
import type { Recorder } from "./recorder.ts";
import type { LocalResult } from "./compute_turn.ts";
import { isUnreachable, pause } from "../upkeep/outage.ts";

/** What is written of one instance together. */
interface Group {
  readonly instance: string;
  readonly submissions: readonly Submission[];
}

const largestBatch = 500;
/** What is left to another lane: below it, a statement of its own costs more than it saves. */
const smallestShare = 250;
const mostTries = 3;

/**
 * Writes turns: of steps that have ended here, and of advance jobs. One turn for each instance and
 * batch, and an instance is in one lane at a time: of two turns in one statement one would be lost.
 */
export class Committer {
  readonly #runtime: Runtime;
  readonly #host: Host;
  readonly #instances: InstanceCache;
  readonly #recorder: Recorder;
  readonly #failures: Failures;
  readonly #lines = new Lines();
  readonly #lanes: Lanes<Line>;

  constructor(
    runtime: Runtime,
    host: Host,
    instances: InstanceCache,
    recorder: Recorder,
    failures: Failures,
  ) {
    this.#runtime = runtime;
    this.#host = host;
    this.#instances = instances;
    this.#recorder = recorder;
    this.#failures = failures;
    this.#lanes = new Lanes(2, (lanes) => this.#take(lanes), (lines) => this.#write(lines));
  }

  /** Writes the turn that a job stands for; `ended` where it ran a step. */
  submit(job: OwnedJob, ended?: LocalResult): void {
    this.#lines.add({ job, ended, tries: 0 });
    this.#lanes.wake();
  }

  #requeue(submissions: readonly Submission[]): void {
    for (const submission of submissions) this.#lines.add(submission);
    this.#lanes.wake();
  }

  #take(lanes: number): readonly Line[] {
    const share = Math.max(smallestShare, Math.ceil(this.#lines.free / lanes));
    return this.#lines.take(Math.min(largestBatch, share));
  }

  async #write(lines: readonly Line[]): Promise<void> {
    const { process } = this.#host;
    const groups: Group[] = [];
    for (const line of lines) {
      const submissions = this.#owned(line.take(), process);
      if (submissions.length > 0) groups.push({ instance: line.instance, submissions });
    }
    await this.#attempt(groups, process);
    this.#lines.giveBack(lines);
  }

  /** What was claimed under an id that was declared dead is somebody else's now. */
  #owned(submissions: readonly Submission[], process: string): readonly Submission[] {
    for (const { job } of submissions) {
      if (job.process === process) continue;
      this.#host.done(job);
    }
    return filtered(submissions, ({ job }) => job.process === process);
  }

  async #attempt(groups: readonly Group[], process: string, plain = false): Promise<void> {
    let planned: readonly Planned[] = [];
    try {
      planned = await this.#plans(groups);
      await this.#commit(planned, process, plain);
    } catch (error) {
      const mayBePlain = !plain && planned.some(hasThrown);
      return await this.#again(groups, process, error, mayBePlain);
    }
    await this.#drop(planned, process);
  }

  async #again(
    groups: readonly Group[],
    process: string,
    error: unknown,
    mayBePlain = false,
  ): Promise<void> {
    if (isUnreachable(error)) await this.#later(groups);
    // One bad row must not cost its neighbours their turn.
    else if (groups.length > 1) {
      for (const group of groups) await this.#attempt([group], process);
    } // Of what a choice throws, not every database can store every character.
    else if (mayBePlain) await this.#attempt(groups, process, true);
    else await this.#refused(groups, error);
  }

  async #plans(groups: readonly Group[]): Promise<readonly Planned[]> {
    const { store } = this.#runtime.backend;
    const advanced = groups.filter(({ submissions }) => submissions.some(({ ended }) => !ended));
    const ids = advanced.map(({ instance }) => instance);
    if (ids.length > 0) await this.#instances.refresh(ids);
    if (groups.length > ids.length) {
      await this.#instances.load(groups.map(({ instance }) => instance));
    }
    const unprocessed = byInstance(ids.length > 0 ? await store.unprocessed(ids) : []);
    const plans: Planned[] = [];
    for (const { instance, submissions } of groups) {
      const rows = unprocessed.get(instance) ?? [];
      const cached = this.#instances.get(instance);
      const first = planOrLoad(this.#runtime, cached, submissions, rows);
      // Most plans need nothing that is not here: what need not be awaited is not.
      const planned = isPromise(first) ? await first : first;
      if (planned.dropped.length === 0) plans.push(planned);
      else {
        // Others may have forgotten the instance meanwhile: what is given up is given up by what is
        // read now.
        const fresh = await this.#instances.fresh(instance);
        plans.push(await planOrLoad(this.#runtime, fresh, submissions, rows));
      }
    }
    return plans;
  }

  async #commit(planned: readonly Planned[], process: string, plain: boolean): Promise<void> {
    const { store } = this.#runtime.backend;
    const plans: Plan[] = [];
    for (const { plan } of planned) if (plan !== undefined) plans.push(plan);
    if (plans.length === 0) return;
    const turns = await ready(this.#runtime, this.#host, plans, plain);
    let written: Written = new Map();
    try {
      written = await store.commit(process, turns.map(({ turn }) => turn));
    } finally {
      for (const one of turns) if (!written.has(one.turn.instance)) takeBack(one);
    }
    const workers = { runtime: this.#runtime, host: this.#host, instances: this.#instances };
    const stale: Submission[] = [];
    for (const one of turns) {
      const { included } = one.plan;
      const at = written.get(one.turn.instance);
      if (at === undefined) stale.push(...included);
      else {
        // Before: what begins may take the row of the job.
        for (const { job } of included) this.#host.stopped(job);
        applied(workers, one, process, at);
        for (const { job } of included) this.#host.done(job);
      }
    }
    if (stale.length > 0) await this.#stale(stale);
  }

  /** The turns beside them are written: what goes wrong here is tried again for these alone. */
  async #drop(planned: readonly Planned[], process: string): Promise<void> {
    const groups = planned.flatMap(({ dropped: [first, ...rest] }) =>
      first ? [{ instance: first.job.instance, submissions: [first, ...rest] }] : []
    );
    if (groups.length === 0) return;
    try {
      await this.#runtime.backend.store.pass(planned.flatMap(passes));
    } catch (error) {
      return await this.#again(groups, process, error);
    }
    for (const { job } of groups.flatMap(({ submissions }) => submissions)) {
      // The job of a step that is over is gone already. That of an advance that found nothing new
      // was done.
      if (job.kind === "advance") this.#host.stopped(job);
      this.#host.done(job);
    }
  }

  /**
   * Somebody else has moved these instances: read them again, and leave it to an advance after a
   * few tries.
   */
  async #stale(submissions: readonly Submission[]): Promise<void> {
    for (const { job } of submissions) this.#instances.forget(job.instance);
    const again = submissions.map((submission) => ({ ...submission, tries: submission.tries + 1 }));
    this.#requeue(again.filter(({ tries }) => tries <= mostTries));
    for (const { job, ended } of again.filter(({ tries }) => tries > mostTries)) {
      if (ended) this.#recorder.submit(job, ended.result);
      else await this.#giveUp(job, new Error("The instance moved on each time it was read"));
    }
  }

  async #giveUp(job: OwnedJob, error: unknown): Promise<void> {
    await this.#failures.settle(job, error, { ran: false });
    this.#host.done(job);
  }

  async #later(groups: readonly Group[]): Promise<void> {
    const submissions = groups.flatMap(({ submissions }) => submissions);
    if (await pause(this.#host.givenUp)) this.#requeue(submissions);
    else for (const { job } of submissions) this.#host.done(job);
  }

  /**
   * A step that has succeeded does not fail because its instance cannot be moved: an advance goes
   * on trying that.
   */
  async #refused(groups: readonly Group[], error: unknown): Promise<void> {
    for (const { job, ended } of groups.flatMap(({ submissions }) => submissions)) {
      if (ended === undefined) {
        await this.#giveUp(job, error);
        continue;
      }
      sayRefused(this.#runtime.logger, job, this.#instances.get(job.instance)?.known.key, error);
      this.#recorder.submit(job, ended.result);
    }
  }
}

function hasThrown({ plan }: Planned): boolean {
  return plan?.computed.progress.thrown !== undefined;
}

function byInstance(rows: readonly UnreadResult[]): ReadonlyMap<string, readonly UnreadResult[]> {
  const grouped = new Map<string, UnreadResult[]>();
  for (const row of rows) {
    const group = grouped.get(row.instance);
    if (group === undefined) grouped.set(row.instance, [row]);
    else group.push(row);
  }
  return grouped;
}
