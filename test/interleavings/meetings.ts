import type { Name } from "./operations.ts";

/** How the second of two fares while the first one's transaction is open. */
export interface Fares {
  readonly waits: boolean;
  /** What comes of it when the first one commits, and when it rolls back; `undefined` is the same as alone. */
  readonly committed?: string;
  readonly rolledBack?: string;
  /** It comes too late: nothing of it is written once the first one has committed. */
  readonly late?: boolean;
}

/** What comes of each of them alone. */
export const alone: Readonly<Record<Name, string>> = {
  claim: "advance, stamp, weigh",
  commit: "turn",
  drop: "turn",
  undo: "turn",
  record: "record",
  advance: "turn",
  timer: "turn",
  deadline: "turn",
  rescue: "3 dead",
  cancel: "cancelled",
  delivery: "accepted",
  prune: "7 gone",
  start: "ALREADY_RUNNING",
  opening: "started",
};

/** Waits, and what the first one did decides nothing. */
const waits: Fares = { waits: true };
const finds = (committed: string): Fares => ({ waits: true, committed });
/** Was computed from what the first one has changed: it is read and computed again. */
const stale = finds("turn, turn");
/** Its process has been declared dead, or its instance cancelled: nothing is written. */
const late = (committed: string): Fares => ({ waits: true, committed, late: true });
/** Leaves alone what the first one holds, whatever becomes of it. */
const skips = (rest: string): Fares => ({ waits: false, committed: rest, rolledBack: rest });

/**
 * The first one, and how the second fares beside it. What is not here passes: they have nothing in common, or what they
 * have is locked in a way that admits both.
 */
export const meetings: Readonly<Record<Name, { readonly [second in Name]?: Fares }>> = {
  claim: {
    claim: skips("nothing"),
    // The advance that waits is being claimed: whether it still counts as waiting is known when the claim has ended.
    record: waits,
    delivery: waits,
    // The claimer's process row is held: it is not declared dead now. A job of another dead process wakes the advance.
    rescue: { waits: true, committed: "2 dead", rolledBack: "2 dead" },
    cancel: waits,
    drop: waits,
    undo: waits,
    deadline: waits,
  },
  drop: {
    // The steps beside it are not claimed: their jobs go with its commit.
    // But for one that can be undone: a branch cannot contain it.
    claim: skips("advance, weigh"),
    drop: late("turn, pass"),
    undo: late("turn, pass"),
    commit: late("turn, pass"),
    record: late("record"),
    advance: stale,
    timer: late("turn, pass"),
    deadline: stale,
    // The job of a dead process is being deleted; that of the one that drops is held.
    rescue: { waits: true, committed: "2 dead", rolledBack: "2 dead" },
    cancel: waits,
    delivery: late("NOT_WAITING"),
    start: waits,
  },
  undo: {
    // Of the steps beside it, only what can be undone may run.
    claim: skips("advance, weigh"),
    drop: late("turn, pass"),
    undo: late("turn, pass"),
    commit: late("turn, pass"),
    record: late("record"),
    advance: stale,
    timer: late("turn, pass"),
    // The job of a dead process is being deleted; that of the one that drops is held.
    rescue: { waits: true, committed: "2 dead", rolledBack: "2 dead" },
    cancel: finds("NOT_CANCELLABLE"),
    delivery: late("NOT_WAITING"),
    start: waits,
    // It finds results that come too late now, and says so.
    deadline: late("turn, turn"),
  },
  commit: {
    drop: stale,
    undo: stale,
    commit: stale,
    advance: stale,
    timer: stale,
    deadline: stale,
    rescue: skips("2 dead"),
    cancel: waits,
    // The row that has the key is being written: it might leave the key.
    start: waits,
  },
  record: {
    // The advance that this result relies on cannot be claimed before it has committed.
    claim: skips("stamp, weigh"),
    record: waits,
    drop: waits,
    undo: waits,
    deadline: waits,
    delivery: waits,
    rescue: waits,
    cancel: waits,
  },
  advance: {
    drop: stale,
    undo: stale,
    commit: stale,
    // Both have read the same results; the first one leaves nothing to do.
    advance: finds("turn, pass"),
    timer: stale,
    deadline: stale,
    rescue: skips("2 dead"),
    cancel: waits,
    start: waits,
  },
  timer: {
    drop: stale,
    undo: stale,
    commit: stale,
    advance: stale,
    timer: stale,
    deadline: stale,
    rescue: skips("2 dead"),
    cancel: waits,
    start: waits,
  },
  deadline: {
    // Steps end with the instance; an advance does not, it finds the instance final.
    claim: skips("advance"),
    drop: late("turn, pass"),
    commit: late("turn, pass"),
    record: late("record"),
    advance: late("turn, pass"),
    timer: late("turn, pass"),
    deadline: late("turn, pass"),
    // The job of a dead process is being cancelled; the process of the deadline is held.
    rescue: { waits: true, committed: "2 dead", rolledBack: "2 dead" },
    cancel: finds("NOT_CANCELLABLE"),
    start: finds("started"),
    undo: late("turn, pass"),
  },
  rescue: {
    claim: { waits: true, committed: "nothing" },
    // The zombie tries each turn again, then it leaves a result: none is taken from it.
    commit: late("turn, turn, turn, turn, record"),
    drop: late("turn, turn, turn, turn, record"),
    undo: late("turn, turn, turn, turn, record"),
    record: late("record"),
    advance: late("turn, turn, turn, turn, retry"),
    timer: late("turn, turn, turn, turn, record"),
    deadline: late("turn, turn, turn, turn, retry"),
    rescue: skips("0 dead"),
    delivery: waits,
    cancel: waits,
  },
  cancel: {
    // Steps are cancelled with the instance; an advance is not, it finds the instance final.
    claim: skips("advance"),
    commit: late("turn, pass"),
    drop: late("turn, pass"),
    undo: late("turn, pass"),
    record: late("record"),
    advance: late("turn, pass"),
    timer: late("turn, pass"),
    deadline: late("turn, pass"),
    rescue: waits,
    cancel: finds("NOT_CANCELLABLE"),
    start: finds("started"),
  },
  delivery: {
    claim: skips("stamp, weigh"),
    record: waits,
    drop: waits,
    undo: waits,
    rescue: waits,
    delivery: finds("duplicate"),
  },
  prune: {
    prune: skips("0 gone"),
  },
  start: {},
  opening: {
    opening: finds("ALREADY_RUNNING"),
  },
};

const results: { readonly [name in Name]?: readonly [left: string, right: string] } = {
  commit: ["pack", "wrap"],
  drop: ["pack", "wrap"],
  undo: ["pack", "wrap"],
  record: ["pack", "wrap"],
  timer: ["nap", "doze"],
  delivery: ["approval", "approval"],
};

/** The results that must be there when both have ended. */
export function resultsOf(
  first: Name,
  second: Name,
  how: "commit" | "rollback",
): readonly string[] {
  const left = how === "commit" ? results[first]?.[0] : undefined;
  const isLate = how === "commit" && meetings[first][second]?.late === true;
  const right = isLate ? undefined : results[second]?.[1];
  return [...new Set([left, right].filter((step) => step !== undefined))].sort();
}

/** How the instances of the key end. */
export function endsOf(first: Name, second: Name, how: "commit" | "rollback"): readonly string[] {
  const commits = how === "commit";
  const done = commits ? first : undefined;
  const isLate = commits && meetings[first][second]?.late === true;
  const end = { cancel: "cancelled", deadline: "failed", undo: "undone" } as const;
  const ends = [done, isLate ? undefined : second]
    .flatMap((one) => one !== undefined && one in end ? [end[one as keyof typeof end]] : []);
  // What undoes has its key until its end.
  const started = ends.length > 0 && ends[0] !== "undone" && second === "start" && commits;
  return [ends[0] ?? "completed", ...(started ? ["completed"] : [])];
}
