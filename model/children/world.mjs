// A step that starts a child, and all that may end either of them. Every statement takes its snapshot, then its locks,
// and is seen after its commit. What PostgreSQL does is as in built/.
const clone = (value) => JSON.parse(JSON.stringify(value));

export function initial({ env }) {
  return {
    parent: { revision: 1, open: true, step: "starting" },
    child: null,
    opened: 0,
    applied: 0,
    // How many jobs of a kind wait. Those that a fiber has claimed are still rows.
    jobs: { start: 1, told: 0, withdraw: 0 },
    claimed: { start: 0, told: 0, withdraw: 0 },
    unread: false,
    locks: { parent: null, child: null, job: null },
    fibers: [],
    env: clone(env),
    next: 0,
    lastRetried: false,
  };
}

export const key = (state) => {
  const names = new Map(state.fibers.map(({ id }, at) => [id, at]));
  const renamed = (id) => id === null ? null : names.get(id);
  return JSON.stringify({
    ...state,
    fibers: state.fibers.map((fiber) => ({ ...fiber, id: names.get(fiber.id) })),
    locks: Object.fromEntries(Object.entries(state.locks).map(([row, id]) => [row, renamed(id)])),
    next: state.fibers.length,
  });
};

export function broken({ opened, applied }) {
  if (opened > 1) return "a child starts twice";
  if (applied > 1) return "a step ends twice";
  return null;
}

export function restless({ parent, child, jobs, unread, lastRetried }) {
  if (jobs.start + jobs.told + jobs.withdraw > 0) return "a job is left";
  if (unread) return "a result is unread";
  const runs = child?.open === true;
  if (parent.open && parent.step === "waiting") return runs ? null : "a parent waits for ever";
  return runs && !lastRetried ? "a child goes on without its parent" : null;
}

/** Changes a copy of the state for a fiber, which is at `at` afterwards; `undefined` ends it. */
function step(state, fiber, label, at, change) {
  const next = clone(state);
  const own = next.fibers.find(({ id }) => id === fiber.id);
  change(next, own);
  if (at !== undefined) own.at = at;
  else leave(next, fiber.id);
  return { label: `${fiber.kind}: ${label}`, next };
}

function leave(state, id) {
  state.fibers = state.fibers.filter((fiber) => fiber.id !== id);
  unlock(state, id);
}

function unlock(state, id) {
  for (const row of Object.keys(state.locks)) if (state.locks[row] === id) state.locks[row] = null;
}

const free = ({ locks }, ...rows) => rows.every((row) => locks[row] === null);

function lock({ locks }, { id }, ...rows) {
  for (const row of rows) locks[row] = id;
}

const settle = (state, kind) => {
  state.jobs[kind] = Math.max(0, state.jobs[kind] - 1);
  state.claimed[kind] = Math.max(0, state.claimed[kind] - 1);
};

/** Whether a statement that withdraws the step sees a child that it has to cancel. */
const existing = (child, cfg) => cfg.cancelsEnded ? child !== null : child?.open === true;

/** What a turn of the parent does that withdraws the step, according to the snapshot of its statement. */
function withdrawn(state, { sees }) {
  state.parent.revision++;
  state.jobs.start = state.claimed.start = 0;
  if (sees) state.jobs.withdraw++;
}

const opens = (state) => {
  state.child = { open: true };
  state.opened++;
};
const waitsNow = (state, cfg) => {
  state.parent.step = "waiting";
  if (cfg.waitIsTurn) state.parent.revision++;
  settle(state, "start");
};

const fibers = {
  start(state, fiber, cfg) {
    const { parent, jobs, child } = state;
    if (fiber.at === "begin") {
      const isOver = !parent.open || parent.step !== "starting" || jobs.start === 0;
      return isOver
        ? step(state, fiber, "pass", undefined, (next) => settle(next, "start"))
        : step(state, fiber, "plan", "open", (next, own) => own.revision = next.parent.revision);
    }
    if (fiber.at === "open") {
      if (cfg.opensFirst) {
        return step(state, fiber, "open in a transaction of its own", "lock", (next) => {
          if (next.child === null && next.opened === 0) opens(next);
        });
      }
      return step(state, fiber, "open", "lock", () => {});
    }
    if (fiber.at === "lock") {
      if (!cfg.waitIsTurn) {
        if (!free(state, "job")) return undefined;
        return jobs.start === 0
          ? step(state, fiber, "its job is gone", undefined, () => {})
          : step(state, fiber, "lock the job", "commit", (next, own) => lock(next, own, "job"));
      }
      if (!free(state, "parent")) return undefined;
      return parent.revision !== fiber.revision
        ? step(state, fiber, "stale", "begin", () => {})
        : step(state, fiber, "lock", "commit", (next, own) => lock(next, own, "parent", "job"));
    }
    return step(state, fiber, "commit", undefined, (next) => {
      if (!cfg.opensFirst && child === null) opens(next);
      waitsNow(next, cfg);
    });
  },

  drop(state, fiber, cfg) {
    const { parent, child } = state;
    if (fiber.at === "begin") {
      if (!parent.open || !["starting", "waiting"].includes(parent.step)) {
        return step(state, fiber, "nothing to drop", undefined, () => {});
      }
      return step(state, fiber, "plan", "look", (next, own) => own.revision = next.parent.revision);
    }
    if (fiber.at === "look") {
      return step(state, fiber, "snapshot", "lock", (_, own) => own.sees = existing(child, cfg));
    }
    if (fiber.at === "lock") {
      if (!free(state, "parent")) return undefined;
      if (cfg.dropIsFenced && parent.revision !== fiber.revision) {
        return step(state, fiber, "stale", "begin", () => {});
      }
      return step(state, fiber, "lock", "job", (next, own) => lock(next, own, "parent"));
    }
    if (fiber.at === "job") {
      return free(state, "job") || state.locks.job === fiber.id
        ? step(state, fiber, "delete the job", "commit", (next, own) => lock(next, own, "job"))
        : undefined;
    }
    return step(state, fiber, "commit", undefined, (next, own) => {
      next.parent.step = "dropped";
      withdrawn(next, own);
    });
  },

  cancel(state, fiber, cfg) {
    const { parent } = state;
    const look = (next, own) => own.sees = existing(next.child, cfg);
    if (fiber.at === "begin") {
      if (!free(state, "parent")) return undefined;
      if (!parent.open) return step(state, fiber, "it has ended", undefined, () => {});
      return step(state, fiber, "lock", "look", (next, own) => lock(next, own, "parent"));
    }
    if (fiber.at === "look") return step(state, fiber, "snapshot", "job", look);
    if (fiber.at === "job") {
      return free(state, "job")
        ? step(state, fiber, "cancel the job", "commit", (next, own) => lock(next, own, "job"))
        : undefined;
    }
    return step(state, fiber, "commit", undefined, (next, own) => {
      next.parent.open = false;
      withdrawn(next, own);
    });
  },

  /** A turn of the child that ends it. */
  end(state, fiber, cfg) {
    if (fiber.at === "begin") {
      if (!free(state, "child")) return undefined;
      if (state.child?.open !== true) {
        return step(state, fiber, "it has ended", undefined, () => {});
      }
      return step(state, fiber, "snapshot and lock", "commit", (next, own) => {
        own.sees = next.parent.open;
        lock(next, own, "child");
      });
    }
    const tell = (next, own) => own.sees && next.jobs.told++;
    if (fiber.at === "commit") {
      const over = (next, own) => {
        next.child = { open: false };
        if (cfg.tellsWithEnd) tell(next, own);
        unlock(next, own.id);
      };
      return step(state, fiber, "commit", cfg.tellsWithEnd ? undefined : "tell", over);
    }
    return step(state, fiber, "tell the parent", undefined, tell);
  },

  delete(state, fiber, cfg) {
    if (fiber.at === "begin") {
      if (!free(state, "child")) return undefined;
      if (state.child === null) return step(state, fiber, "there is none", undefined, () => {});
      return step(state, fiber, "snapshot and lock", "commit", (next, own) => {
        own.sees = next.parent.open;
        lock(next, own, "child");
      });
    }
    return step(state, fiber, "commit", undefined, (next, own) => {
      next.child = null;
      if (own.sees && cfg.deleteTells) next.jobs.told++;
    });
  },

  /** The job that tells the parent. */
  told(state, fiber, cfg) {
    const { parent, child } = state;
    if (fiber.at === "begin") {
      const waits = parent.open && parent.step === "waiting";
      const ended = cfg.readsAgain ? child?.open !== true : true;
      return waits && ended
        ? step(state, fiber, "read", "record", () => {})
        : step(state, fiber, "pass", undefined, (next) => settle(next, "told"));
    }
    return step(state, fiber, "record", undefined, (next) => {
      settle(next, "told");
      next.unread = true;
    });
  },

  /** The job that cancels the child. */
  withdraw(state, fiber) {
    if (fiber.at === "begin") {
      if (!free(state, "child")) return undefined;
      if (state.child?.open !== true) {
        return step(state, fiber, "pass", undefined, (next) => settle(next, "withdraw"));
      }
      return step(state, fiber, "lock", "commit", (next, own) => {
        own.sees = next.parent.open;
        lock(next, own, "child");
      });
    }
    return step(state, fiber, "commit", undefined, (next, own) => {
      next.child = { open: false };
      settle(next, "withdraw");
      if (own.sees) next.jobs.told++;
    });
  },
};

function advance(state) {
  if (!state.unread || !free(state, "parent")) return [];
  const next = clone(state);
  next.unread = false;
  if (next.parent.open && next.parent.step === "waiting") {
    next.parent.step = "ended";
    next.parent.revision++;
    next.applied++;
  }
  return [{ label: "advance", next }];
}

function begin(state, kind, label, change) {
  const next = clone(state);
  next.fibers.push({ id: next.next++, kind, at: "begin" });
  change(next);
  return { label, next };
}

const events = {
  drop: (state) => begin(state, "drop", "drop", () => {}),
  cancel: (state) => begin(state, "cancel", "cancel", () => {}),
  end: (state) => state.child?.open ? begin(state, "end", "the child ends", () => {}) : undefined,
  delete: (state) => state.child && begin(state, "delete", "delete", () => {}),
  crash: () => undefined,
  twice: (state) =>
    state.claimed.start === 0 ? undefined : begin(state, "start", "the job runs twice", () => {}),
  retry(state) {
    if (state.child?.open !== false || !free(state, "child")) return undefined;
    const next = clone(state);
    next.child = { open: true };
    // Its end counts already: the parent goes on without it.
    const counts = next.unread ||
      next.fibers.some(({ kind, at }) => kind === "told" && at === "record");
    next.lastRetried = counts || next.parent.step !== "waiting" || !next.parent.open;
    return { label: "the child is retried", next };
  },
};

export function moves(state, cfg) {
  const all = [...advance(state)];
  for (const fiber of state.fibers) {
    const one = fibers[fiber.kind](state, fiber, cfg);
    if (one !== undefined) all.push(one);
    if ((state.env.crash ?? 0) === 0) continue;
    const next = clone(state);
    next.env.crash--;
    leave(next, fiber.id);
    if (fiber.kind in next.claimed) next.claimed[fiber.kind] = 0;
    all.push({ label: `crash in ${fiber.kind}`, next, env: true });
  }
  for (const kind of Object.keys(state.jobs)) {
    if (state.jobs[kind] <= state.claimed[kind]) continue;
    all.push(begin(state, kind, `claim ${kind}`, (next) => next.claimed[kind]++));
  }
  for (const [name, left] of Object.entries(state.env)) {
    const one = left > 0 ? events[name](state) : undefined;
    if (!one) continue;
    one.next.env[name]--;
    all.push({ ...one, env: true });
  }
  return all;
}
