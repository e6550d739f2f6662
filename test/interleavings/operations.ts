import type { NewResult } from "../../src/backend/turn.ts";
import { resume } from "../../src/runner/run/resume.ts";
import { approved, crossing } from "./crossing.ts";
import type { Party } from "./party.ts";

/** One of two parties: each has jobs of its own. */
export type Side = "left" | "right";

/** What a party does to the instance, and what came of it in a word. */
export type Operation = (party: Party, side: Side) => Promise<string>;

const serves = [{ workflow: crossing.name, version: 1 }];

function ended(party: Party, side: Side, event: "ok" | "cut" | "quit" = "ok") {
  const job = party.jobs.get(side === "left" ? "pack" : "wrap")!;
  const nothing = { output: undefined, metadata: undefined };
  const of = { step: job.step!, activation: 1, event };
  const more = { waits: false, attempt: 1, errors: undefined, duration: 1 };
  const result: NewResult = { ...of, ...nothing, ...more };
  return { job, ended: { ...of, ...nothing, result } };
}

/** The writes among what a party has sent: one turn is written at once, of two the first one was stale. */
function writes({ sent }: Party): string {
  return sent.filter((name) => ["turn", "record", "pass", "retry"].includes(name)).join(", ");
}

const refusal = (error: unknown): string => {
  const { code } = error as { code?: string };
  if (code === undefined) throw error;
  return code;
};

/** What can happen to an instance, each by the product's own call. */
export const operations = {
  /** Another process looks for work. */
  async claim({ backend, workers }) {
    const { process } = workers.host;
    const taken: string[] = [];
    for (const queue of ["steps", "advances"]) {
      const jobs = await backend.queue.claim({ process, queue, limit: 10, serves });
      taken.push(...jobs.map(({ kind, step }) => step ?? kind));
    }
    return taken.sort().join(", ") || "nothing";
  },
  /** A step has ended, and its process writes the turn. */
  async commit(party, side) {
    const { job, ended: of } = ended(party, side);
    const over = party.over(job);
    party.workers.committer.submit(job, of);
    await over;
    return writes(party);
  },
  /** A step has ended with an event that drops everything beside it. */
  async drop(party, side) {
    const { job, ended: of } = ended(party, side, "cut");
    const over = party.over(job);
    party.workers.committer.submit(job, of);
    await over;
    return writes(party);
  },
  /** A step has ended with an event that ends the instance by undoing. */
  async undo(party, side) {
    const { job, ended: of } = ended(party, side, "quit");
    const over = party.over(job);
    party.workers.committer.submit(job, of);
    await over;
    return writes(party);
  },
  /** A step has ended, and its process leaves the turn to an advance. */
  async record(party, side) {
    const { job, ended: of } = ended(party, side);
    const over = party.over(job);
    party.workers.recorder.submit(job, of.result);
    await over;
    return writes(party);
  },
  /** An advance that was claimed reads and writes. */
  async advance(party) {
    const job = party.jobs.get("advance")!;
    const over = party.over(job);
    party.workers.committer.submit(job);
    await over;
    return writes(party);
  },
  /** A timer has elapsed and its job was claimed. */
  async timer(party, side) {
    const job = party.jobs.get(side === "left" ? "nap" : "doze")!;
    const over = party.over(job);
    await resume(party.workers, job);
    await over;
    return writes(party);
  },
  /** The deadline of the instance has passed and its job was claimed. */
  async deadline(party) {
    const job = party.jobs.get("!deadline")!;
    const over = party.over(job);
    await resume(party.workers, job);
    await over;
    return writes(party);
  },
  /** A heartbeat looks for the dead. */
  async rescue({ backend }) {
    return `${(await backend.queue.rescue()).processes.length} dead`;
  },
  /** A caller cancels. */
  cancel({ hephaestus }) {
    return hephaestus.cancel(crossing, "one").then(() => "cancelled", refusal);
  },
  /** A caller delivers. */
  delivery({ hephaestus }) {
    return hephaestus.resume(crossing, "one", approved).catch(refusal);
  },
  /** A process cleans up. */
  async prune({ backend }) {
    return `${await backend.queue.prune(86_400_000, 100)} gone`;
  },
  /** A caller starts the same key. */
  start({ hephaestus }) {
    return hephaestus.start(crossing, "one", undefined).then(() => "started", refusal);
  },
  /** A caller starts a key that is free. */
  opening({ hephaestus }) {
    return hephaestus.start(crossing, "two", undefined).then(() => "started", refusal);
  },
} satisfies Record<string, Operation>;

export type Name = keyof typeof operations;
export const names = Object.keys(operations) as readonly Name[];
