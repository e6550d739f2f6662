// The database, the processes and what is under way, as one JSON value.
//   I     instance -> row                 J    job id -> { k kind, i, s, a, st a(vailable)|e(xecuting), o owner, n attempt,
//                                                tk token, d deaths }
//   R     "i/s/activation" -> processed; unread: false, 0 when its step failed, "" of a former version   X    "i/s/activation" -> how often its own transaction has written
//   pr    registered processes            P    { up, acc(epting), boot, c cache, u unknown at the last beat }
//   f     fibers: jobs that run, calls of clients, rescues      q    statements of turns, with the fibers that wait for them
// Writes of an open transaction are kept in it and applied at its commit: nobody sees them before. L holds row locks.
import { opened } from "./engine.mjs";

// Three times as fast as a round through JSON text.
export function clone(value) {
  if (Array.isArray(value)) return value.map(clone);
  if (typeof value !== "object" || value === null) return value;
  const copy = {};
  for (const name in value) if (value[name] !== undefined) copy[name] = clone(value[name]);
  return copy;
}

export const instances = (cfg) =>
  Array.from({ length: cfg.instances ?? 1 }, (_, n) => "i" + (n + 1));

export function initial(cfg) {
  const s = {
    I: {},
    J: {},
    R: {},
    X: {},
    pr: [],
    P: [],
    f: [],
    q: [],
    bud: { ...cfg.budget },
    ghost: { applied: {}, started: {}, bad: "", fault: false },
  };
  for (let p = 1; p <= (cfg.processes ?? 2); p++) {
    s.pr.push("p" + p);
    s.P.push({ up: true, acc: true, boot: "p" + p, c: {}, u: [] });
  }
  for (const i of instances(cfg)) {
    if (cfg.opens) s.f.push({ t: "open", p: 0, b: "p1", i, pc: "o1", L: [] });
    else {
      s.I[i] = opened(cfg.graph);
      start(s, i, cfg.graph.first, 1);
      addJob(s, `${i}.${cfg.graph.first}1`, { k: "x", i, s: cfg.graph.first, a: 1 });
      if (cfg.deadline) addJob(s, `${i}.deadline`, { k: "dl", i, s: "deadline", a: 1 });
    }
  }
  return s;
}

const sorted = (of) => Object.fromEntries(Object.keys(of).sort().map((name) => [name, of[name]]));
const byText = (list) =>
  list.map((x) => [JSON.stringify(x), x]).sort((x, y) => (x[0] < y[0] ? -1 : 1)).map((x) => x[1]);

// Everything that names a row by its token.
function* leases(s) {
  for (const j in s.J) yield [j, s.J[j]];
  for (const f of s.f) if (f.j) yield [f.j, f];
  for (const q of s.q) {
    if (q.lease) yield [q.lease.j, q.lease];
    for (const g of q.g) {
      for (const f of g.f) yield [f.j, f];
      if (g.turn?.reuse) yield [g.turn.reuse.j, g.turn.reuse];
    }
  }
  for (const { beat, rel, own, u } of s.P) {
    for (const list of [beat?.own, beat?.before, rel, own, u]) {
      for (const lease of list ?? []) yield [lease.j, lease];
    }
  }
}

// Tokens are compared with each other and raised by one: gaps between those of a row may be closed, but for a small one.
function closeGaps(s) {
  const rows = new Map();
  for (const [j, lease] of leases(s)) rows.set(j, [...(rows.get(j) ?? []), lease]);
  for (const row of rows.values()) {
    if (row.every(({ tk }) => tk <= 3)) continue;
    const closed = new Map();
    let last = 0, to = 0;
    for (const tk of row.map(({ tk }) => tk).sort((a, b) => a - b)) {
      to += Math.min(tk - last, 3);
      last = tk;
      closed.set(tk, to);
    }
    for (const lease of row) lease.tk = closed.get(lease.tk);
  }
}

export function key(s) {
  closeGaps(s);
  for (const part of ["I", "J", "R", "X"]) s[part] = sorted(s[part]);
  for (const process of s.P) process.c = sorted(process.c);
  s.ghost.applied = sorted(s.ghost.applied);
  s.ghost.started = sorted(s.ghost.started);
  s.pr.sort();
  s.f = byText(s.f);
  s.q = byText(s.q);
  return JSON.stringify(s);
}

// Who stands in the way of this lock.
export function blockers(s, me, mode, row) {
  const out = [];
  for (const other of [...s.f, ...s.q]) {
    if (other === me) continue;
    for (const lock of other.L) {
      if (lock.slice(2) === row && (mode === "X" || lock[0] === "X")) out.push(other);
    }
  }
  return out;
}

// Marks the ending of a step whose attempts are used up.
export const failed = "failed";
export const waiting = (s, i) =>
  Object.keys(s.J).find((id) => s.J[id].k === "adv" && s.J[id].i === i && s.J[id].st === "a");
export const unread = (s, i) =>
  Object.keys(s.R).filter((row) => row.startsWith(i + "/") && !s.R[row] && s.R[row] !== "").sort()
    .map((row) => {
      const [, step, activation] = row.split("/");
      return [step, Number(activation), ...(s.R[row] === 0 ? [failed] : [])];
    });
export const bad = (s, what) => {
  s.ghost.bad ||= what;
};

export function addJob(s, id, job) {
  const { ver } = s.I[job.i] ?? {};
  s.J[id] = { st: "a", o: "", n: 0, tk: 0, ...job, ...(ver ? { ver } : {}) };
  return id;
}

export function start(s, i, step, activation) {
  const name = i + "/" + step + "/" + activation;
  s.ghost.started[name] = (s.ghost.started[name] ?? 0) + 1;
  if (s.ghost.started[name] > 1) bad(s, `${name} started twice`);
}

export function apply(s, i, step, activation) {
  const name = i + "/" + step + "/" + activation;
  s.ghost.applied[name] = (s.ghost.applied[name] ?? 0) + 1;
  if (s.ghost.applied[name] > 1) bad(s, `${name} applied twice`);
}

// The lock that a wake-up needs: of the advance that waits, or of the unique key.
export const wakeLock = (s, i) => ["X", waiting(s, i) ?? "adv:" + i];

export function wake(s, i) {
  if (waiting(s, i)) return;
  for (let n = 1;; n++) {
    const id = `${i}.adv${n}`;
    const used = s.J[id] || [...s.f, ...s.q.flatMap((one) => [one, ...one.g.flatMap((g) => g.f)])]
      .some((x) => x.j === id || x.L?.includes("X|" + id)) ||
      s.q.some((one) => one.g.some((g) => g.turn?.settle.includes(id)));
    if (!used) return addJob(s, id, { k: "adv", i, s: "", a: 0 });
  }
}

// What fences a verdict on a job: its row must be executing, owned by the lease's process, with the same token.
export function held(s, lease, cfg) {
  const job = s.J[lease.j];
  if (!job || job.st !== "e" || job.o !== lease.b) return false;
  return cfg.fence === "attempt" ? job.n === lease.n : job.tk === lease.tk;
}

// What is known of a job that is held.
export const leaseOf = ({ j, b, n, tk, s, a }) => ({ j, b, n, tk, s, a });

// Says when a verdict that was meant for one step reaches the job of another.
export function strike(s, lease, what) {
  const job = s.J[lease.j];
  if (job.k !== "adv" && (job.s !== lease.s || job.a !== lease.a)) {
    bad(s, `${what} of ${lease.s}${lease.a} hit the job of ${job.s}${job.a}`);
  }
}

// Whether a job must run alone: it has been in a process that died, beside others.
export const isLone = (s, id, cfg) => (s.J[id]?.d ?? 0) >= cfg.alone;

export function giveBack(s, id, attempts, deaths = 0) {
  const job = s.J[id];
  if (deaths > 0) job.d = (job.d ?? 0) + deaths;
  if (job.k !== "adv") return void Object.assign(job, { st: "a", o: "", n: job.n - attempts });
  delete s.J[id];
  wake(s, job.i);
}
