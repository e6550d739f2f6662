import type { VersionGraph } from "../backend/graphs.ts";
import type { ResultKey } from "../backend/turn.ts";
import { Bell } from "./bell.ts";
import type { Clock } from "./clock.ts";
import type { InstanceRecord, JobRecord, ProcessRow, ResultRecord } from "./rows.ts";
import { Table } from "./table.ts";

/** As many ids as a process reserves at a time. */
const block = 1000;

/**
 * The data of the memory backend. Statements run one after the other, and each is all or nothing.
 */
export class MemoryTables {
  readonly #journal: (() => void)[] = [];
  readonly #clock: Clock;
  #nextId = 1;
  #sequence = 0;

  readonly instances: Table<InstanceRecord> = new Table(this.#journal, (row) => row.id);
  readonly results: Table<ResultRecord> = new Table(
    this.#journal,
    (row) => resultKey(row.instance, row),
    (row) => row.instance,
  );
  readonly jobs: Table<JobRecord> = new Table(
    this.#journal,
    (row) => row.id,
    (row) => row.instance,
  );
  /** Queues that may have new work. */
  readonly woken: Bell = new Bell();
  /** Instances that have become final. */
  readonly ended: Bell = new Bell();
  readonly graphs: Table<VersionGraph> = new Table(this.#journal, (row) => row.fingerprint);
  readonly processes: Table<ProcessRow> = new Table(this.#journal, (row) => row.id);
  /** The processes that have claimed from each queue. */
  readonly claimers: Map<string, Set<string>> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** The first id of a newly reserved block. An undone statement does not return its ids. */
  reserve(): number {
    const from = this.#nextId;
    this.#nextId += block;
    return from;
  }

  nextSequence(): number {
    return this.#sequence++;
  }

  /** Runs one statement. If it throws, all of its writes are undone. */
  statement<T>(work: () => T): T {
    this.#journal.length = 0;
    this.woken.silence();
    this.ended.silence();
    try {
      const answer = work();
      this.woken.announce();
      this.ended.announce();
      return answer;
    } catch (error) {
      this.#takeBack();
      throw error;
    }
  }

  /** Runs a statement, undoes it, and returns its result. */
  rehearse<T>(work: () => T): T {
    this.#journal.length = 0;
    try {
      return work();
    } finally {
      this.#takeBack();
    }
  }

  close(): void {
    this.woken.close();
    this.ended.close();
  }

  #takeBack(): void {
    for (const undo of this.#journal.reverse()) undo();
    this.#journal.length = 0;
  }
}

/** Key of a result: one per activation of a step, and one more for the start of its wait. */
export function resultKey(instance: string, { step, activation, waits }: ResultKey): string {
  return JSON.stringify([instance, step, activation, waits]);
}

/** Runs a statement and returns a promise, which rejects with what it throws. */
export function run<T>(tables: MemoryTables, work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(tables.statement(work)));
}
