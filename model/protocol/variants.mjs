import { graphs } from "./graphs.mjs";

// The protocol that is proposed; every variant changes one thing of it.
export const proposed = {
  slots: 2,
  attempts: 2,
  failing: "b",
  timer: false,
  fence: "share", // inline commit: own process row `for key share`, before the instance. none | snapshot | share | joblock
  match: false, // inline commit: the delete of its job also matches state, owner, attempt
  claimFence: true, // a claim holds its process row too
  classicMatch: true,
  discardMatch: true, // job row matched by state, owner, attempt, else roll back
  early: "bump", // deliveries that come before their wait: ignore | read | snapshot | bump | forget | always
  dedup: "update false", // nothing | update false | advisory | rowshare | each
  advance: "row", // what a claimed advance locks before it reads: row | advisory | none
  endBumps: true,
  endOneStatement: false,
  endsAdvances: false,
  jobFirst: false, // discard and cancel
  rescueOneStatement: false,
  reconcile: true,
  sameBoot: false,
};

const none = { crash: 0, dead: 0, lost: 0, fail: 0, deliver: 0, cancel: 0 };
const scenario = (graph, budget, more) => ({
  graph: graphs[graph],
  budget: { ...none, ...budget },
  ...more,
});

// Budgets: how often the environment may strike. dead = a living process's lease lapses (zombie); lost = a commit's answer is lost.
export const scenarios = {
  "chain: crash, zombie, lost answer": scenario("chain", { crash: 1, dead: 1, lost: 1 }),
  "chain: 2 failures, zombie, cancel": scenario("chain", { fail: 2, dead: 1, cancel: 1 }),
  "wait: 2 deliveries, timer, cancel": scenario("wait", { deliver: 2, cancel: 1 }, { timer: true }),
  "wait: delivery, timer, zombie": scenario("wait", { deliver: 1, dead: 1 }, { timer: true }),
  "late wait: delivery, zombie": scenario("late", { deliver: 1, dead: 1 }),
  "signal join: 2 deliveries": scenario("signal", { deliver: 2 }),
  "fan: 2 failures": scenario("fan", { fail: 2 }),
  "fan: cancel": scenario("fan", { cancel: 1 }),
  "fan: lost answer": scenario("fan", { lost: 1 }),
  "fan: zombie": scenario("fan", { dead: 1 }),
  "signal join: delivery, zombie": scenario("signal", { deliver: 1, dead: 1 }),
  "fan: 2 failures, zombie": scenario("fan", { fail: 2, dead: 1 }),
  "fan: cancel, zombie": scenario("fan", { cancel: 1, dead: 1 }),
  "fan: crash, zombie": scenario("fan", { crash: 1, dead: 1 }),
};

export const modes = { inline: [true, true], mixed: [true, false], classic: [false, false] };

// name -> [what differs, what is expected: "holds" or "fails"]
export const variants = {
  "proposed": [{}, "holds"],
  // waking the advance
  "dedup: do nothing, advance locks the row": [{ dedup: "nothing" }, "fails"],
  "dedup: do nothing, advance takes the advisory lock, completers none": [{
    dedup: "nothing",
    advance: "advisory",
  }, "fails"],
  "dedup: shared advisory, but the advance locks only the row": [{ dedup: "advisory" }, "fails"],
  "dedup: shared advisory against exclusive advisory": [
    { dedup: "advisory", advance: "advisory" },
    "holds",
  ],
  "dedup: completer takes the instance row for share": [{ dedup: "rowshare" }, "holds"],
  "dedup: none, one advance job per result": [{ dedup: "each" }, "holds"],
  "dedup: update false, advance locks nothing (version fence only)": [{ advance: "none" }, "holds"],
  "dedup: shared advisory, lock and read in one statement": [{
    dedup: "advisory",
    advance: "advisory",
    oneStatement: true,
  }, "fails"],
  "dedup: for share, lock and read in one statement": [
    { dedup: "rowshare", oneStatement: true },
    "fails",
  ],
  "dedup: update false, lock and read in one statement": [{ oneStatement: true }, "holds"],
  "rescue makes an advance available beside a waiting one": [{ rescueKeepsAdvance: true }, "fails"],
  // fencing the inline commit
  "inline without version fence": [{ noVersion: true }, "fails"],
  "fence: none, job deleted by id": [{ fence: "none" }, "fails"],
  "fence: none, the delete matches owner and attempt": [{ fence: "none", match: true }, "fails"],
  "fence: process row looked up in the snapshot": [{ fence: "snapshot", match: true }, "fails"],
  "fence: job row locked first, process row not": [{ fence: "joblock", match: true }, "fails"],
  "fence: job row locked first, plus a sweep of jobs without owner": [{
    fence: "joblock",
    match: true,
    sweep: true,
    claimFence: false,
  }, "fails"],
  "fence: process row, and the delete matches": [{ match: true }, "holds"],
  "claim does not hold its process row": [{ claimFence: false }, "fails"],
  "heartbeat re-registers a dead process under its old id": [{ sameBoot: true }, "fails"],
  "rescue in one statement": [{ rescueOneStatement: true }, "fails"],
  "rescue in one statement, plus a sweep of jobs without owner": [{
    rescueOneStatement: true,
    sweep: true,
  }, "holds"],
  "no reconciliation after a lost answer": [{ reconcile: false }, "fails"],
  "advance starts steps as owned, process row not held": [{ advanceOwns: "bare" }, "fails"],
  "advance starts steps as owned, process row held": [{ advanceOwns: "share" }, "holds"],
  "classic result: job matched by id only": [{ classicMatch: false }, "fails"],
  // deliveries before their wait
  "early delivery: inline ignores it": [{ early: "ignore" }, "fails"],
  "early delivery: read with the instance, version not raised": [{ early: "read" }, "fails"],
  "early delivery: looked for in the snapshot of the commit": [{ early: "snapshot" }, "fails"],
  "early delivery: version raised, the cache forgets it": [{ early: "forget" }, "fails"],
  "early delivery: every activated wait inserts an advance": [{ early: "always" }, "holds"],
  "early delivery: same, advance locks nothing": [{ early: "always", advance: "none" }, "holds"],
  "a wait resolved in the advance that starts it gets its timer": [
    { timerForResolved: true },
    "fails",
  ],
  // discard and cancel
  "discard and cancel in one statement": [{ endOneStatement: true }, "fails"],
  "discard and cancel leave the version alone": [{ endBumps: false }, "fails"],
  "discard and cancel leave executing jobs": [{ endKeepsExecuting: true }, "fails"],
  "discard: job matched by id only": [{ discardMatch: false }, "fails"],
  "discard locks its job before the instance": [{ jobFirst: true }, "holds"],
  "discard and cancel delete advance jobs too": [{ endsAdvances: true }, "holds"],
};
