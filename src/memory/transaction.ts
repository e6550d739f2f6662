import type { StoreTransaction } from "../backend/store.ts";
import type { Sql } from "../core/define/context.ts";
import { commit, record } from "./instances/commit.ts";
import { open } from "./instances/open.ts";
import type { MemoryTables } from "./tables.ts";

/** The result of a write: instances or jobs, by id. */
type WriteAnswer = Pick<ReadonlySet<string>, "size" | "has" | "keys">;

/** A write of a transaction that is not yet made, with the result that was returned for it. */
interface Rehearsed {
  readonly write: () => WriteAnswer;
  readonly answer: WriteAnswer;
}

class Conflict extends Error {}

/**
 * Runs `work` in one transaction. Its writes are only rehearsed at first, so that they are
 * invisible to others, and are made together at the end. If other changes have made one of the
 * results obsolete by then, `work` runs again.
 */
export async function transaction<T>(
  tables: MemoryTables,
  sql: Sql,
  work: (tx: StoreTransaction) => Promise<T>,
): Promise<T> {
  while (true) {
    const rehearsed: Rehearsed[] = [];
    const rehearse = <A extends WriteAnswer>(write: () => A) =>
      new Promise<A>((resolve) => {
        const answer = tables.rehearse(() => {
          for (const earlier of rehearsed) earlier.write();
          return write();
        });
        rehearsed.push({ write, answer });
        resolve(answer);
      });
    const result = await work({
      sql,
      commit: (process, turns) => rehearse(() => commit(tables, process, turns)),
      record: (records) => rehearse(() => record(tables, records)),
      open: (process, instances) => rehearse(() => open(tables, process, instances)),
    });
    if (perform(tables, rehearsed)) return result;
  }
}

function perform(tables: MemoryTables, rehearsed: readonly Rehearsed[]): boolean {
  try {
    tables.statement(() => {
      for (const { write, answer } of rehearsed) if (!equal(write(), answer)) throw new Conflict();
    });
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

function equal(a: WriteAnswer, b: WriteAnswer): boolean {
  return a.size === b.size && [...a.keys()].every((item) => b.has(item));
}
