import { failure } from "../core/failure.ts";
import type { Unprocessed } from "../store/store.ts";
import { applied } from "./applied.ts";
import type { Host, OwnedJob } from "./host.ts";
import type { Instances } from "./instances.ts";
import { Lanes } from "./lanes.ts";
import type { Parts } from "./parts.ts";
import { passes, type Planned, planOrLoad, ready, type Submission } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
import type { Ended } from "./turns.ts";
import { isUnreachable, pause } from "./trouble.ts";

/** What one instance has waiting. */
interface Group {
  readonly instance: string;
  readonly submissions: readonly Submission[];
}

const largestBatch = 500;
/** What is left to another lane: below it, a statement of its own costs more than it saves. */
const smallestShare = 250;
const mostTries = 3;

/**
 * Writes turns: of steps that have ended here, and of advance jobs. One turn for each instance and batch, and an
 * instance is in one lane at a time: of two turns in one statement one would be lost.
 */
export class Committer {
  readonly #parts: Parts;
  readonly #host: Host;
  readonly #instances: Instances;
  readonly #recorder: Recorder;
  readonly #failed: (job: OwnedJob, error: unknown) => Promise<void>;
  readonly #waiting = new Map<string, Submission[]>();
  readonly #busy = new Set<string>();
  readonly #lanes: Lanes<Group>;

  constructor(
    parts: Parts,
    host: Host,
    instances: Instances,
    recorder: Recorder,
    failed: (job: OwnedJob, error: unknown) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#host = host;
    this.#instances = instances;
    this.#recorder = recorder;
    this.#failed = failed;
    this.#lanes = new Lanes(2, (lanes) => this.#take(lanes), (groups) => this.#write(groups));
  }

  /** Writes the turn that a job stands for; `ended` where it ran a step. Resolves once the job is done with. */
  submit(job: OwnedJob, ended?: Ended): Promise<void> {
    return new Promise((resolve) => this.#enqueue({ job, ended, tries: 0, resolve }));
  }

  #enqueue(...submissions: readonly Submission[]): void {
    for (const submission of submissions) {
      const { instance } = submission.job;
      const waiting = this.#waiting.get(instance);
      if (waiting === undefined) this.#waiting.set(instance, [submission]);
      else waiting.push(submission);
    }
    this.#lanes.wake();
  }

  #take(lanes: number): readonly Group[] {
    const share = Math.max(smallestShare, Math.ceil(this.#waiting.size / lanes));
    const most = Math.min(largestBatch, share);
    const groups: Group[] = [];
    for (const [instance, submissions] of this.#waiting) {
      if (this.#busy.has(instance)) continue;
      this.#waiting.delete(instance);
      this.#busy.add(instance);
      groups.push({ instance, submissions });
      if (groups.length === most) break;
    }
    return groups;
  }

  async #write(groups: readonly Group[]): Promise<void> {
    const { process } = this.#host;
    const owned = groups.map((group) => this.#owned(group, process));
    await this.#attempt(owned.filter(({ submissions }) => submissions.length > 0), process);
    for (const { instance } of groups) this.#busy.delete(instance);
  }

  /** What was claimed under an id that was declared dead is somebody else's now. */
  #owned({ instance, submissions }: Group, process: string): Group {
    for (const { job, resolve } of submissions) {
      if (job.process === process) continue;
      this.#host.slots.release(job.queue);
      resolve();
    }
    return { instance, submissions: submissions.filter(({ job }) => job.process === process) };
  }

  async #attempt(groups: readonly Group[], process: string): Promise<void> {
    let planned: readonly Planned[];
    try {
      planned = await this.#plans(groups);
      await this.#commit(planned, process);
    } catch (error) {
      return await this.#again(groups, process, error);
    }
    await this.#drop(planned, process);
  }

  async #again(groups: readonly Group[], process: string, error: unknown): Promise<void> {
    if (isUnreachable(error)) await this.#later(groups);
    // One bad row must not cost its neighbours their turn.
    else if (groups.length > 1) {
      for (const group of groups) await this.#attempt([group], process);
    } else await this.#fail(groups, error);
  }

  async #plans(groups: readonly Group[]): Promise<readonly Planned[]> {
    const { store } = this.#parts.backend;
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
      const of = [submissions, rows] as const;
      let planned = await planOrLoad(this.#parts, this.#instances.get(instance), ...of);
      // Others may have forgotten the instance meanwhile: what is given up is given up by what is read now.
      if (planned.dropped.length > 0) {
        planned = await planOrLoad(this.#parts, await this.#instances.fresh(instance), ...of);
      }
      plans.push(planned);
    }
    return plans;
  }

  async #commit(planned: readonly Planned[], process: string): Promise<void> {
    const { store } = this.#parts.backend;
    const turns = await ready(this.#parts, this.#host, planned.flatMap(({ plan }) => plan ?? []));
    let written: ReadonlySet<string> = new Set();
    try {
      if (turns.length > 0) written = await store.commit(process, turns.map(({ turn }) => turn));
    } finally {
      for (const one of turns) if (!written.has(one.turn.instance)) one.takeBack();
    }
    const stale: Submission[] = [];
    for (const one of turns) {
      const { included } = one.plan;
      if (!written.has(one.turn.instance)) stale.push(...included);
      else {
        applied({ parts: this.#parts, host: this.#host, instances: this.#instances }, one);
        for (const { resolve } of included) resolve();
      }
    }
    await this.#stale(stale);
  }

  /** The turns beside them are written: what goes wrong here is tried again for these alone. */
  async #drop(planned: readonly Planned[], process: string): Promise<void> {
    const groups = planned.flatMap(({ dropped: [first, ...rest] }) =>
      first ? [{ instance: first.job.instance, submissions: [first, ...rest] }] : []
    );
    if (groups.length === 0) return;
    try {
      await this.#parts.backend.store.pass(planned.flatMap(passes));
    } catch (error) {
      return await this.#again(groups, process, error);
    }
    for (const { job, resolve } of groups.flatMap(({ submissions }) => submissions)) {
      this.#host.slots.release(job.queue);
      resolve();
    }
  }

  /** Somebody else has moved these instances: read them again, and leave it to an advance after a few tries. */
  async #stale(submissions: readonly Submission[]): Promise<void> {
    for (const { job } of submissions) this.#instances.forget(job.instance);
    const again = submissions.map((submission) => ({ ...submission, tries: submission.tries + 1 }));
    this.#enqueue(...again.filter(({ tries }) => tries <= mostTries));
    for (const { job, ended, resolve } of again.filter(({ tries }) => tries > mostTries)) {
      await this.#leave(job, ended);
      resolve();
    }
  }

  async #leave(job: OwnedJob, ended: Ended | undefined): Promise<void> {
    if (ended) return this.#recorder.submit(job, ended.result);
    await this.#failed(job, new Error("The instance moved on each time it was read"));
  }

  async #later(groups: readonly Group[]): Promise<void> {
    const submissions = groups.flatMap(({ submissions }) => submissions);
    if (await pause(this.#host.givenUp)) this.#enqueue(...submissions);
    else for (const { resolve } of submissions) resolve();
  }

  async #fail(groups: readonly Group[], error: unknown): Promise<void> {
    for (const { job, resolve } of groups.flatMap(({ submissions }) => submissions)) {
      const { id, workflow, instance, step } = job;
      this.#parts.logger.error("Cannot write the turn of a job", {
        job: id,
        workflow,
        instance,
        step,
        error: failure(error),
      });
      await this.#failed(job, error);
      resolve();
    }
  }
}

function byInstance(rows: readonly Unprocessed[]): ReadonlyMap<string, readonly Unprocessed[]> {
  const grouped = new Map<string, Unprocessed[]>();
  for (const row of rows) {
    const group = grouped.get(row.instance);
    if (group === undefined) grouped.set(row.instance, [row]);
    else group.push(row);
  }
  return grouped;
}
