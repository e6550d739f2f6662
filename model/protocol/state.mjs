// The database, the processes and the open transactions, as one JSON value.
//   i     the instance row            jobs  id -> { k kind, s step, st a(vailable)|e(xecuting), o owner, n attempt }
//   res   step -> { p processed }     pr    registered processes (their boot ids)
//   P     processes: { up, boot, inline }
//   f     fibers: one per claimed job, client call or rescue. L = row locks held ("X|row" or "S|row"), released at commit.
// Writes of an open transaction are kept in the fiber and applied at its commit: nobody sees them before.

export const clone = (s) => JSON.parse(JSON.stringify(s));
export const final = (inst) => inst.st !== "running";

export function initial(cfg) {
  return {
    i: { v: 1, st: "running", a: [cfg.graph.first], n: 0 },
    jobs: { ["x:" + cfg.graph.first]: { k: "x", s: cfg.graph.first, st: "a", o: "", n: 0 } },
    res: {},
    pr: cfg.inline.map((_, p) => "p" + (p + 1)),
    P: cfg.inline.map((inline, p) => ({ up: true, boot: "p" + (p + 1), inline })),
    f: [],
    bud: { ...cfg.budget },
    ghost: { applied: {}, started: { [cfg.graph.first]: 1 }, bad: "" },
  };
}

export function key(s) {
  const jobs = {};
  for (const id of Object.keys(s.jobs).sort()) jobs[id] = s.jobs[id];
  const res = {};
  for (const id of Object.keys(s.res).sort()) res[id] = s.res[id];
  s.jobs = jobs;
  s.res = res;
  s.pr.sort();
  const fibers = s.f.map((f) => [JSON.stringify(f), f]).sort((x, y) => (x[0] < y[0] ? -1 : 1));
  s.f = fibers.map((x) => x[1]);
  return JSON.stringify(s);
}

// Who stands in the way of this lock (fibers' indexes); empty when it can be taken now.
export function blockers(s, me, mode, row) {
  const out = [];
  for (let k = 0; k < s.f.length; k++) {
    if (k === me) continue;
    for (const lock of s.f[k].L) {
      if (lock.slice(2) === row && (mode === "X" || lock[0] === "X")) out.push(k);
    }
  }
  return out;
}

export const waitingAdvance = (s) =>
  Object.keys(s.jobs).find((id) => s.jobs[id].k === "adv" && s.jobs[id].st === "a");
export const unprocessed = (s) => Object.keys(s.res).filter((x) => !s.res[x].p).sort();
export const owns = (job, f) => job && job.st === "e" && job.o === f.b && job.n === f.n;

export function insertAdvance(s) {
  for (let n = 1;; n++) {
    const id = "adv" + n;
    if (
      s.jobs[id] || s.f.some((f) => f.j === id || f.L.includes("X|" + id) || f.todo?.includes(id))
    ) continue;
    s.jobs[id] = { k: "adv", s: "", st: "a", o: "", n: 0 };
    return id;
  }
}

// Starts steps: returns the ids of the execute jobs. Signals get a timer job only when the scenario has timers.
export function startSteps(s, cfg, steps, resolved = []) {
  const ids = [];
  for (const step of steps) {
    s.ghost.started[step] = (s.ghost.started[step] ?? 0) + 1;
    if (s.ghost.started[step] > 1) s.ghost.bad = `${step} started twice`;
    const signal = (cfg.graph.signals ?? []).includes(step);
    if (signal && (!cfg.timer || resolved.includes(step))) continue;
    let id = (signal ? "t:" : "x:") + step;
    while (s.jobs[id]) id += "+";
    s.jobs[id] = { k: signal ? "tmr" : "x", s: step, st: "a", o: "", n: 0 };
    if (!signal) ids.push(id);
  }
  return ids;
}

export function applied(s, step) {
  s.ghost.applied[step] = (s.ghost.applied[step] ?? 0) + 1;
  if (s.ghost.applied[step] > 1) s.ghost.bad = `${step} recorded or applied twice`;
  for (const id of Object.keys(s.jobs)) {
    if (s.jobs[id].k === "tmr" && s.jobs[id].s === step) delete s.jobs[id];
  }
}

// An executing job becomes available again; an advance yields to the one that waits already (trap 2).
export function giveBack(s, id, cfg) {
  if (
    s.jobs[id].k === "adv" && cfg.dedup !== "each" && !cfg.rescueKeepsAdvance && waitingAdvance(s)
  ) delete s.jobs[id];
  else Object.assign(s.jobs[id], { st: "a", o: "" });
}
