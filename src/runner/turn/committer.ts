import type { UnreadResult } from "../../backend/store.ts";
import type { Pass } from "../../backend/turn.ts";
import { filtered } from "../../core/value/filtered.ts";
import type { FailureForm } from "../../core/value/failure.ts";
import { isPromise } from "../../core/value/promise.ts";
import { type Host, type OwnedJob, passOf } from "../host.ts";
import { logRefusal } from "../observe.ts";
import { stillOpen } from "../each/load.ts";
import type { Failures } from "../run/failures.ts";
import type { LocalResult } from "../run/outcome.ts";
import type { Runtime } from "../runtime.ts";
import { isUnreachable, pause } from "../upkeep/outage.ts";
import { afterCommit } from "./after_commit.ts";
import { Lanes, type Line, Lines } from "./batches.ts";
import { handOver } from "./hand_over.ts";
import type { InstanceCache } from "./instance_cache.ts";
import { omitted, type Plan, planOrLoad, type Submission } from "./plan.ts";
import type { Recorder } from "./recorder.ts";

/** The submissions of one instance that are written together; never empty. */
type Group = readonly Submission[];

const largestBatch = 500;
/**
 * The smallest share that is left to another lane: below it, an extra statement costs more than it
 * saves.
 */
const smallestShare = 250;
const mostTries = 3;

/**
 * Writes turns: of steps that have ended here, and of advance jobs. There is one turn per instance
 * and batch, and an instance is in one lane at a time. Otherwise one of two concurrent turns would
 * be lost.
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

  /** Writes the turn of a job; `result` is set if the job ran a step. */
  submit(job: OwnedJob, result?: LocalResult): void {
    this.#lines.add({ job, result, tries: 0 });
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
      if (submissions.length > 0) groups.push(submissions);
    }
    await this.#attempt(groups, process, "whole");
    this.#lines.giveBack(lines);
  }

  /** Jobs that were claimed under an id that was declared dead belong to another process now. */
  #owned(submissions: readonly Submission[], process: string): readonly Submission[] {
    for (const { job } of submissions) {
      if (job.process === process) continue;
      this.#host.done(job);
    }
    return filtered(submissions, ({ job }) => job.process === process);
  }

  async #attempt(groups: readonly Group[], process: string, form: FailureForm): Promise<void> {
    const plans: Plan[] = [];
    const dropped: Dropped[] = [];
    try {
      await this.#plan(groups, plans, dropped);
      if (plans.length > 0) await this.#commit(plans, process, form);
    } catch (error) {
      const fails = plans.some(({ progress }) => progress.failed !== undefined);
      return await this.#again(groups, process, error, fails && form === "whole");
    }
    if (dropped.length > 0) await this.#drop(dropped, process);
  }

  async #again(
    groups: readonly Group[],
    process: string,
    error: unknown,
    mayBePlain = false,
  ): Promise<void> {
    if (isUnreachable(error)) await this.#later(groups);
    // Write each group alone, so that one bad row does not fail the others.
    else if (groups.length > 1) {
      for (const group of groups) await this.#attempt([group], process, "whole");
    } // Of what a choice throws, not every database can store every character.
    else if (mayBePlain) await this.#attempt(groups, process, "plain");
    else await this.#refused(groups, error);
  }

  /** Loads what the groups lack, and plans the turn of each. */
  async #plan(groups: readonly Group[], plans: Plan[], dropped: Dropped[]): Promise<void> {
    const { store } = this.#runtime.backend;
    const advanced = groups.filter((group) => group.some(({ result }) => !result)).map(instanceOf);
    if (advanced.length > 0) await this.#instances.refresh(advanced);
    if (groups.length > advanced.length) await this.#instances.load(groups.map(instanceOf));
    const unread = byInstance(advanced.length > 0 ? await store.unprocessed(advanced) : []);
    for (const whole of groups) {
      const instance = instanceOf(whole);
      const group = whole.some(({ tries }) => tries > 0) ? await stillOpen(store, whole) : whole;
      if (group !== whole) dropped.push({ submissions: without(whole, group), ignored: [] });
      if (group.length === 0) continue;
      const rows = unread.get(instance) ?? [];
      let cached = this.#instances.get(instance);
      const first = planOrLoad(this.#runtime, cached, group, rows);
      // Most plans need nothing that must be loaded: do not await those.
      let plan = isPromise(first) ? await first : first;
      if (plan?.included !== group) {
        // The instance may have left the cache meanwhile. Decide by a fresh read what to drop.
        cached = await this.#instances.fresh(instance);
        plan = await planOrLoad(this.#runtime, cached, group, rows);
        const submissions = omitted(group, plan);
        const ignored = cached === undefined ? rows : [];
        if (submissions.length > 0) dropped.push({ submissions, ignored });
      }
      if (plan !== undefined) plans.push(plan);
    }
  }

  async #commit(plans: readonly Plan[], process: string, form: FailureForm): Promise<void> {
    using slots = this.#host.slots.hold();
    const turns = await handOver(this.#runtime, this.#host, slots, plans, form);
    const written = await this.#runtime.backend.store.commit(process, turns);
    const context = { runtime: this.#runtime, host: this.#host, instances: this.#instances };
    const stale: Submission[] = [];
    plans.forEach((plan, index) => {
      const at = written.get(plan.next.id);
      if (at === undefined) return stale.push(...plan.included);
      afterCommit(context, plan, turns[index]!, slots, process, at);
      for (const { job } of plan.included) this.#host.done(job);
    });
    if (stale.length > 0) await this.#stale(stale);
  }

  /** The other turns of the batch are already written, so on an error only these are retried. */
  async #drop(dropped: readonly Dropped[], process: string): Promise<void> {
    try {
      await this.#runtime.backend.store.pass(dropped.flatMap(passes));
    } catch (error) {
      return await this.#again(dropped.map(({ submissions }) => submissions), process, error);
    }
    for (const { job } of dropped.flatMap(({ submissions }) => submissions)) {
      // The job of a step that has ended is already gone. The job of an advance without news was
      // done here.
      if (job.kind === "advance") this.#host.stopped(job);
      this.#host.done(job);
    }
  }

  /**
   * These instances were changed elsewhere: read them again. After a few tries, leave it to an
   * advance.
   */
  async #stale(submissions: readonly Submission[]): Promise<void> {
    for (const { job } of submissions) this.#instances.forget(job.instance);
    const again = submissions.map((submission) => ({ ...submission, tries: submission.tries + 1 }));
    this.#requeue(again.filter(({ tries }) => tries <= mostTries));
    for (const { job, result } of again.filter(({ tries }) => tries > mostTries)) {
      if (result) this.#recorder.submit(job, result.result);
      else await this.#giveUp(job, new Error("The instance changed each time it was read"));
    }
  }

  async #giveUp(job: OwnedJob, error: unknown): Promise<void> {
    await this.#failures.settle(job, error, { ran: false });
    this.#host.done(job);
  }

  async #later(groups: readonly Group[]): Promise<void> {
    // The turn may have been written although the answer was lost.
    const submissions = groups.flat()
      .map((one) => one.tries > 0 ? one : { ...one, tries: 1 });
    if (await pause(this.#host.givenUp)) this.#requeue(submissions);
    else for (const { job } of submissions) this.#host.done(job);
  }

  /**
   * A step that has succeeded does not fail because its instance cannot be advanced: an advance
   * keeps trying.
   */
  async #refused(groups: readonly Group[], error: unknown): Promise<void> {
    for (const { job, result } of groups.flat()) {
      if (result === undefined) {
        await this.#giveUp(job, error);
        continue;
      }
      logRefusal(this.#runtime.logger, job, this.#instances.get(job.instance)?.state.key, error);
      this.#recorder.submit(job, result.result);
    }
  }
}

/** A submission with nothing to write: its step has ended, or its instance is final. */
interface Dropped {
  readonly submissions: Group;
  /** Results that it found and that will never be read. */
  readonly ignored: Pass["ignored"];
}

function passes({ submissions, ignored }: Dropped): readonly Pass[] {
  return submissions.map(({ job }, index) => passOf(job, index === 0 ? ignored : []));
}

function without(all: Group, some: Group): Group {
  return all.filter((one) => !some.includes(one));
}

function instanceOf([first]: Group): string {
  return first!.job.instance;
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
