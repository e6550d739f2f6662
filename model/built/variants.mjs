import { graphs } from "./engine.mjs";

// The protocol as the code has it; every variant changes one thing of it.
export const built = {
  slots: 2,
  attempts: 2,
  tries: 1, // stale turns before the result is left to an advance; the code tries three times
  txTries: 1,
  timer: false,
  claimFence: true, // a claim holds its process row
  reconcile: true, // what a process owns and does not know is given back after two heartbeats
  fence: "token", // what a verdict on a job matches beside its owner
  alone: 1, // deaths in company after which a job runs alone; the code waits for two
  leaveFrees: true, // a stop frees the jobs of its process in a later statement than the one that deletes its row
};

const none = {
  crash: 0,
  dead: 0,
  lost: 0,
  fail: 0,
  deliver: 0,
  cancel: 0,
  retry: 0,
  move: 0,
  rewind: 0,
  beat: 0,
  evict: 0,
  leave: 0,
};
const scenario = (graph, budget, more) => ({
  graph: graphs[graph],
  budget: { ...none, ...budget },
  ...more,
});

// How often the environment may strike. dead: the lease of a living process ends; lost: the answer to a claim, a turn or
// a verdict is lost, and a turn may still be on its way then; beat: a heartbeat whose two halves lie apart; evict: the
// process forgets an instance; leave: an orderly stop.
export const scenarios = {
  "line: lost answer": scenario("line", { lost: 1 }),
  "line: lost answer, failure": scenario("line", { lost: 1, fail: 1 }),
  "chain: 2 lost answers": scenario("chain", { lost: 2 }),
  "chain: crash, zombie, lost answer": scenario("chain", { crash: 1, dead: 1, lost: 1 }),
  "chain: zombie, 2 failures, cancel": scenario("chain", { dead: 1, fail: 2, cancel: 1 }),
  "chain: lost answer, 2 failures": scenario("chain", { lost: 1, fail: 2 }),
  "fan: 2 failures": scenario("fan", { fail: 2 }),
  "fan: 2 failures, cancel": scenario("fan", { fail: 2, cancel: 1 }),
  "fan: 2 failures, no turn inline": scenario("fan", { fail: 2 }, { classic: true }),
  "later: delivery, 2 failures": scenario("later", { deliver: 1, fail: 2 }),
  "beside: delivery, 2 failures": scenario("beside", { deliver: 1, fail: 2 }),
  "chain: stop, lost answer": scenario("chain", { leave: 1, lost: 1 }),
  "chain: 3 heartbeats, lost answer": scenario("chain", { beat: 3, lost: 1 }),
  "start: stop, zombie": scenario("one", { leave: 1, dead: 1 }, { opens: true }),
  "line: 2 heartbeats": scenario("line", { beat: 2 }),
  "fan: 2 heartbeats": scenario("fan", { beat: 2 }),
  "fan: eviction": scenario("fan", { evict: 1 }),
  "fan: lost answer": scenario("fan", { lost: 1 }),
  "again: lost answer, zombie": scenario("again", { lost: 1, dead: 1 }),
  "later: delivery, zombie": scenario("later", { deliver: 1, dead: 1 }),
  "later: delivery, stop": scenario("later", { deliver: 1, leave: 1 }),
  "later: delivery, lost answer": scenario("later", { deliver: 1, lost: 1 }),
  "later: delivery, no turn inline": scenario("later", { deliver: 1 }, { classic: true }),
  "later again: 2 deliveries": scenario("laterAgain", { deliver: 2 }),
  "wait: delivery, expiry, cancel": scenario("wait", { deliver: 1, cancel: 1 }, { timer: true }),
  "dropped: one slot": scenario("dropped", {}, { slots: 1 }),
  "dropped: lost answer": scenario("dropped", { lost: 1 }),
  "dropped: failure": scenario("dropped", { fail: 1 }),
  "dropped: crash": scenario("dropped", { crash: 1 }, { slots: 1 }),
  "dropped: cancel": scenario("dropped", { cancel: 1 }, { slots: 1 }),
  "dropped wait: delivery, expiry": scenario("droppedWait", { deliver: 1 }, { timer: true }),
  "dropped wait: delivery, lost answer": scenario("droppedWait", { deliver: 1, lost: 1 }),
  "rivals: lost answer": scenario("rivals", { lost: 1 }),
  "rivals: crash": scenario("rivals", { crash: 1 }),
  "tx of a dropped step: lost answer": scenario("dropped", { lost: 1 }, { tx: ["c"] }),
  "undone: crash": scenario("undone", { crash: 1 }),
  "undone: lost answer": scenario("undone", { lost: 1 }),
  "undone: zombie": scenario("undone", { dead: 1 }),
  "undone: 2 failures": scenario("undone", { fail: 2 }),
  "undone: cancel": scenario("undone", { cancel: 1 }),
  "undone: no turn inline": scenario("undone", {}, { classic: true }),
  "undone wait: delivery, expiry": scenario("undoneWait", { deliver: 1 }, { timer: true }),
  "undone wait: cancel, crash": scenario("undoneWait", { cancel: 1, crash: 1 }),
  "undone later: delivery, cancel": scenario("undoneLater", { deliver: 1, cancel: 1 }),
  "undone later: delivery, 2 failures": scenario("undoneLater", { deliver: 1, fail: 2 }),
  "ending: cancel": scenario("ending", { cancel: 1 }),
  "ending: 2 cancels": scenario("ending", { cancel: 2 }),
  "ending: cancel, crash": scenario("ending", { cancel: 1, crash: 1 }),
  "ending: cancel, lost answer": scenario("ending", { cancel: 1, lost: 1 }),
  "ending: 2 failures": scenario("ending", { fail: 2 }),
  "ending: 4 failures": scenario("ending", { fail: 4 }),
  "tx of an undo: lost answer": scenario("ending", { cancel: 1, lost: 1 }, { tx: ["~a"] }),
  "tx of an undo: crash": scenario("ending", { cancel: 1, crash: 1 }, { tx: ["~a"] }),
  "fan: 2 failures, retry": scenario("fan", { fail: 2, retry: 1 }, { attempts: 1 }),
  "fan: failure, 2 retries": scenario("fan", { fail: 1, retry: 2 }, { attempts: 1 }),
  "fan: failure, retry, lost answer": scenario("fan", { fail: 1, retry: 1, lost: 1 }, {
    attempts: 1,
  }),
  "fan: failure, retry, no turn inline": scenario("fan", { fail: 1, retry: 1 }, {
    attempts: 1,
    classic: true,
  }),
  "chain: failure, retry, cancel": scenario("chain", { fail: 1, retry: 1, cancel: 1 }, {
    attempts: 1,
  }),
  "chain: failure, retry, zombie": scenario("chain", { fail: 1, retry: 1, dead: 1 }, {
    attempts: 1,
  }),
  "beside: failure, retry, delivery": scenario("beside", { fail: 1, retry: 1, deliver: 1 }, {
    attempts: 1,
    processes: 1,
  }),
  "beside: failure, retry, expiry": scenario("beside", { fail: 1, retry: 1, deliver: 1 }, {
    attempts: 1,
    processes: 1,
    timer: true,
  }),
  "later: failure, retry, delivery": scenario("later", { fail: 1, retry: 1, deliver: 1 }, {
    attempts: 1,
  }),
  "chain: rewind, crash": scenario("chain", { rewind: 1, crash: 1 }, { rewinds: "a" }),
  "chain: rewind, zombie": scenario("chain", { rewind: 1, dead: 1 }, { rewinds: "a" }),
  "chain: rewind, lost answer": scenario("chain", { rewind: 1, lost: 1 }, { rewinds: "a" }),
  "chain: 2 rewinds, cancel": scenario("chain", { rewind: 2, cancel: 1 }, { rewinds: "a" }),
  "fan: rewind, failure": scenario("fan", { rewind: 1, fail: 1 }, { rewinds: "b" }),
  "fan: rewind, no turn inline": scenario("fan", { rewind: 1 }, { rewinds: "b", classic: true }),
  "beside: rewind, delivery": scenario("beside", { rewind: 1, deliver: 1 }, {
    rewinds: "b",
    processes: 1,
  }),
  "wait: rewind, 2 deliveries, expiry": scenario("wait", { rewind: 1, deliver: 2 }, {
    rewinds: "a",
    processes: 1,
    timer: true,
  }),
  "later: rewind, delivery": scenario("later", { rewind: 1, deliver: 1 }, { rewinds: "s" }),
  "beside: delivery, eviction": scenario("beside", { deliver: 1, evict: 1 }),
  "deadline: chain, zombie": scenario("chain", { dead: 1 }, { deadline: true }),
  "deadline: chain, lost answer, cancel": scenario("chain", { lost: 1, cancel: 1 }, {
    deadline: true,
  }),
  "deadline: fan, failure": scenario("fan", { fail: 1 }, { deadline: true }),
  "deadline: fan, crash": scenario("fan", { crash: 1 }, { deadline: true }),
  "deadline: wait, delivery, expiry": scenario("wait", { deliver: 1 }, {
    deadline: true,
    timer: true,
  }),
  "deadline: asynchronous step, delivery": scenario("later", { deliver: 1 }, { deadline: true }),
  "deadline: dropped": scenario("dropped", {}, { deadline: true, slots: 1 }),
  "moved: chain, zombie": scenario("chain", { move: 1, dead: 1 }),
  "moved: chain, lost answer": scenario("chain", { move: 1, lost: 1 }),
  "moved: chain, failure, cancel": scenario("chain", { move: 1, fail: 1, cancel: 1 }),
  "moved: chain, stop": scenario("chain", { move: 1, leave: 1 }),
  "moved: fan, crash": scenario("fan", { move: 1, crash: 1 }),
  "moved: wait, delivery": scenario("wait", { move: 1, deliver: 1 }, { timer: true }),
  "moved: wait, 2 deliveries": scenario("wait", { move: 1, deliver: 2 }, { processes: 1 }),
  "moved: beside, delivery": scenario("beside", { move: 1, deliver: 1 }, { slots: 1 }),
  "moved: later, delivery": scenario("later", { move: 1, deliver: 1 }),
  "tx: lost answer, zombie": scenario("chain", { lost: 1, dead: 1 }, { tx: ["a"] }),
  "tx: crash, cancel": scenario("chain", { crash: 1, cancel: 1 }, { tx: ["a"] }),
  "tx of an asynchronous step: delivery": scenario("later", { deliver: 1 }, { tx: ["s"] }),
  "two instances: lost answer": scenario("one", { lost: 1 }, { instances: 2 }),
  "two instances: cancel": scenario("one", { cancel: 1 }, { instances: 2 }),
  "two chains: cancel": scenario("chain", { cancel: 1 }, { instances: 2 }),
  "two instances: zombie": scenario("one", { dead: 1 }, { instances: 2 }),
  "two instances: crash": scenario("one", { crash: 1 }, { instances: 2 }),
  "two chains: crash": scenario("chain", { crash: 1 }, { instances: 2 }),
  "three processes: crash, zombie": scenario("chain", { crash: 1, dead: 1 }, { processes: 3 }),
  "three processes: zombie, lost answer": scenario("chain", { dead: 1, lost: 1 }, { processes: 3 }),
};

// name -> [what differs, what is expected, the scenarios by what their names contain. Default: all]
export const variants = {
  "built": [{}, "holds"],
  // fences
  "a turn without the revision": [{ noRevision: true }, "fails", ["chain: zombie"]],
  "the process row is looked up, not held": [{ fenceSnapshot: true }, "fails", ["three processes"]],
  "a claim does not hold its process row": [{ claimFence: false }, "fails", ["three processes"]],
  // activations
  "rows are keyed by the step alone": [{ rowsByStep: true }, "fails", ["again: lost"]],
  "a turn looks at the step, not at its activation": [{ liveByStep: true }, "fails", [
    "again: lost",
  ]],
  "the waiting row has the place of the result": [{ laterTakesPlace: true }, "fails", ["later: d"]],
  "a waiting row that comes too late stays unread": [{ dropsLater: true }, "fails", ["no turn"]],
  // a step's own transaction
  "a step's transaction commits before its result": [{ txFirst: true }, "fails", ["tx: "]],
  "a step's transaction commits although its step is over": [
    { overCommits: true },
    "fails",
    ["tx: "],
  ],
  "a step's transaction writes under the process's new id": [{ txAsNow: true }, "holds", ["tx: "]],
  "a step's transaction stays although a delivery stands": [
    { keepsWrites: true },
    "fails",
    ["tx of"],
  ],
  // branches that are dropped
  "a drop leaves the jobs of its branch": [{ leavesJobs: true }, "fails", ["dropped: one"]],
  "a delivery that a drop has overtaken is kept until the end": [{ keepsDropped: true }, "holds", [
    "dropped wait",
  ]],
  // undoing
  "a cancel that undoes wakes nobody": [{ wakesNobody: true }, "fails", ["undone wait: c"]],
  "the history is older than the instance": [{ remembersHistory: true }, "fails", [
    "ending: cancel",
  ]],
  "a cancel ends an instance that undoes": [{ cancelsTwice: true }, "fails", ["ending: 2 cancels"]],
  // deadlines of instances
  "an end leaves the deadline": [{ leavesDeadline: true }, "fails", ["deadline: "]],
  // instances that are retried
  "a retry runs under the same activation what was cut off": [{ sameActivation: true }, "fails", [
    "fan: f",
  ]],
  "a retry leaves the advances that take its instance for final": [
    { keepsAdvances: true },
    "fails",
    ["expiry"],
  ],
  "a pass without a lease marks results as ignored": [{ marksAnyway: true }, "fails", ["expiry"]],
  // instances that are moved to another version
  "a move takes a running step": [{ movesRunning: true }, "fails", ["moved: chain"]],
  "a move leaves the revision": [{ movesUnseen: true }, "fails", ["moved: "]],
  "a move leaves unread results behind": [{ leavesResults: true }, "fails", ["moved: "]],
  "a move leaves the version of jobs": [{ leavesVersions: true }, "fails", ["moved: "]],
  "a move lets deliveries in": [{ admitsDeliveries: true }, "fails", ["moved: wait"]],
  "a delivery does not compare the version": [{ comparesNoVersion: true }, "fails", [
    "moved: wait",
  ]],
  "a result of another version is applied": [{ takesOtherVersions: true }, "fails", ["moved: "]],
  "what was moved runs from the cache": [{ trustsCache: true }, "fails", ["moved: "]],
  // instances that are rewound
  "a rewind leaves the jobs of what it takes back": [{ rewindLeavesJobs: true }, "fails", [
    "fan: rewind, f",
  ]],
  "a rewind starts under an old activation": [{ sameNumbers: true }, "fails", ["chain: rewind, c"]],
  "a rewind reads the instance without its lock": [{ rewindsBlind: true }, "fails", [
    "fan: rewind, f",
  ]],
  // attempts that are used up
  "a failure is left to an advance": [{ recordsFailure: true }, "holds", ["2 failures"]],
  // several turns in a statement
  "two turns of one instance in a statement": [{ turnEach: true }, "fails", ["fan: l"]],
  "rows of stale turns are written too": [{ writesStale: true }, "fails", ["wait: "]],
  // what the process knows
  "what is not in the cache counts as final": [{ forgets: true }, "fails", ["fan: e", "fan: 2"]],
  "no reconciliation": [{ reconcile: false }, "fails", ["chain: 3"]],
  "one heartbeat is enough to give a job back": [{ oneBeat: true }, "holds", ["heartbeats"]],
  "jobs are given back by their id alone": [{ givesBackById: true }, "fails", ["heartbeats"]],
  "a stop frees nothing once it has left": [{ leaveFrees: false }, "fails", ["stop"]],
  "a start begins only what the database says is owned": [{ adopts: "owned" }, "holds", ["start"]],
  // what has died in company
  "what must run alone is claimed like the rest": [{ company: true }, "fails", [
    "two instances: c",
    "two chains: cr",
  ]],
  // a chain goes on in the row of its job
  "verdicts match owner and attempt": [{ fence: "attempt" }, "fails"],
  "a give-back matches the owner and no token": [{ givesBackAnyToken: true }, "fails", [
    "2 heartbeats",
  ]],
  "the row of an advance is used again too": [{ reusesAny: true }, "fails", ["later: delivery, s"]],
};
