// What a test runs: each extension once, and for each the weakening that it must find. Less than a minute on one core.
export const quick = {
  built: {
    "built": [
      "line: lost answer, failure",
      "fan: eviction",
      "later: delivery, no turn inline",
      "tx: crash, cancel",
      "tx of an asynchronous step: delivery",
      "dropped: one slot",
      "rivals: crash",
      "two instances: lost answer",
      "two instances: crash",
    ],
    "what must run alone is claimed like the rest": ["two instances: crash"],
    "a turn without the revision": ["chain: zombie, 2 failures, cancel"],
    "the process row is looked up, not held": ["three processes: crash, zombie"],
    "rows are keyed by the step alone": ["again: lost answer, zombie"],
    "the waiting row has the place of the result": ["later: delivery, lost answer"],
    "a waiting row that comes too late stays unread": ["later: delivery, no turn inline"],
    "a drop leaves the jobs of its branch": ["dropped: one slot"],
    "a step's transaction commits before its result": ["tx: crash, cancel"],
    "a step's transaction stays although a delivery stands": [
      "tx of an asynchronous step: delivery",
    ],
    "two turns of one instance in a statement": ["fan: lost answer"],
    "rows of stale turns are written too": ["wait: delivery, expiry, cancel"],
    "what is not in the cache counts as final": ["fan: eviction"],
    "no reconciliation": ["chain: 3 heartbeats, lost answer"],
    "a stop frees nothing once it has left": ["chain: stop, lost answer"],
    "verdicts match owner and attempt": ["line: lost answer"],
    "a give-back matches the owner and no token": ["line: 2 heartbeats"],
  },
  protocol: {
    "dedup: do nothing, advance locks the row": ["mixed, wait: 2 deliveries, timer, cancel"],
    "rescue in one statement": ["inline, chain: crash, zombie, lost answer"],
    "discard and cancel in one statement": ["inline, chain: 2 failures, zombie, cancel"],
  },
};
