// Everything that can happen in a state: the fibers' grains, claims, and the environment (crash, lapse of a lease, clients).
// Moves marked `env` may never happen; the others are progress, and a state without any of them is at rest.
import { fiberMoves } from "./fibers.mjs";
import { isSignal } from "./graphs.mjs";
import { blockers, clone, final, giveBack, initial, key, unprocessed } from "./state.mjs";

export { initial, key };

const change = (s, label, fn, env = false) => {
  const t = clone(s);
  fn(t);
  return { label, next: t, env };
};

function claims(s, cfg) {
  const moves = [];
  for (let p = 0; p < s.P.length; p++) {
    const { up, boot } = s.P[p];
    if (!up || s.f.filter((f) => f.p === p).length >= cfg.slots) continue;
    if (cfg.claimFence && (!s.pr.includes(boot) || blockers(s, -1, "S", boot).length)) continue;
    for (const [id, job] of Object.entries(s.jobs)) {
      if (job.st !== "a" || blockers(s, -1, "X", id).length) continue; // skip locked
      const claim = (t, lost) => {
        const j = t.jobs[id];
        const spent = j.k === "x" && j.n >= cfg.attempts;
        Object.assign(j, {
          st: "e",
          o: boot,
          n: spent || j.k !== "x" ? Math.max(1, j.n) : j.n + 1,
        });
        if (j.k !== "x") j.n = job.n % 3 + 1; // a token that changes with every claim
        if (j.k === "x" && t.res[j.s]) {
          t.ghost.bad = `${j.s} executed again after its result was recorded`;
        }
        if (j.k !== "adv" && final(t.i)) {
          t.ghost.bad = `${j.s} started although the instance is ${t.i.st}`;
        }
        if (!lost) {
          t.f.push({ p, b: boot, t: j.k, pc: spent ? "g0" : "run", j: id, s: j.s, n: j.n, L: [] });
        }
      };
      moves.push(change(s, `P${p + 1} claims ${id}`, (t) => claim(t, false)));
      if (s.bud.lost > 0) {
        moves.push(change(s, `P${p + 1} claims ${id}, the answer is lost`, (t) => {
          claim(t, true);
          t.bud.lost--;
        }, true));
      }
    }
  }
  return moves;
}

function processes(s, cfg) {
  const moves = [];
  for (let p = 0; p < s.P.length; p++) {
    const { up, boot } = s.P[p], listed = s.pr.includes(boot);
    const rescued = s.f.some((f) => f.t === "res" && f.b === boot);
    if (up && s.bud.crash > 0) {
      moves.push(change(s, `P${p + 1} CRASHES`, (t) => {
        t.bud.crash--;
        t.P[p].up = false;
        t.f = t.f.filter((f) => f.p !== p);
      }, true));
    }
    if (listed && !rescued && (!up || s.bud.dead > 0)) {
      moves.push(change(s, `lease of P${p + 1} ends${up ? " (it is alive)" : ""}`, (t) => {
        if (up) t.bud.dead--;
        t.f.push({ p: -1, b: boot, t: "res", pc: cfg.rescueOneStatement ? "r0" : "r1", L: [] });
      }, up));
    }
    if (!listed) {
      moves.push(
        change(s, `P${p + 1} ${up ? "notices that it was declared dead" : "restarts"}`, (t) => {
          if (!cfg.sameBoot || !up) t.f = t.f.filter((f) => f.p !== p);
          t.P[p].up = true;
          t.P[p].boot = cfg.sameBoot ? boot : boot + "'";
          t.pr.push(t.P[p].boot);
        }),
      );
    }
    if (up && listed && cfg.reconcile) {
      const mine = s.f.filter((f) => f.p === p);
      if (mine.some((f) => /^i\d/.test(f.pc))) continue; // an own commit is in flight: its new jobs are not strays
      const strays = Object.keys(s.jobs).filter((id) =>
        s.jobs[id].st === "e" && s.jobs[id].o === boot && !mine.some((f) => f.j === id)
      );
      if (
        strays.length && !blockers(s, -1, "X", strays[0]).length &&
        !blockers(s, -1, "X", "advuniq").length
      ) {
        moves.push(
          change(
            s,
            `P${p + 1} gives back ${strays[0]}, which it does not know`,
            (t) => giveBack(t, strays[0], cfg),
          ),
        );
      }
    }
  }
  if (cfg.sweep) {
    for (const [id, job] of Object.entries(s.jobs)) {
      if (
        job.st === "e" && !s.pr.includes(job.o) &&
        !["advuniq", id, job.o].some((row) => blockers(s, -1, "X", row).length)
      ) {
        moves.push(
          change(s, `sweep: ${id} has an owner that does not exist`, (t) => giveBack(t, id, cfg)),
        );
      }
    }
  }
  return moves;
}

function clients(s) {
  const moves = [];
  const client = (type, budget, extra) =>
    change(s, `client ${type === "del" ? "delivers" : "cancels"}`, (t) => {
      t.bud[budget]--;
      t.f.push({ p: -1, b: "", t: type, L: [], ...extra });
    }, true);
  if (s.bud.deliver > 0) moves.push(client("del", "deliver", { pc: "c0", s: "s" }));
  if (s.bud.cancel > 0) moves.push(client("can", "cancel", { pc: "g0" }));
  return moves;
}

// A cycle of lock waits: PostgreSQL ends one of the transactions, which the engine runs again.
function deadlocks(s, waits) {
  const reaches = (from, goal, seen) =>
    (waits.get(from) ?? []).some((k) =>
      k === goal || (!seen.has(k) && reaches(k, goal, seen.add(k)))
    );
  const moves = [];
  for (const k of waits.keys()) {
    if (!reaches(k, k, new Set())) continue;
    const start = {
      x: s.f[k].pc[0] === "g" ? "g0" : s.f[k].c ? "stale" : "run",
      adv: "run",
      tmr: "run",
      del: "c0",
      can: "g0",
      res: "r1",
    }[s.f[k].t];
    moves.push({
      ...change(
        s,
        `DEADLOCK: ${s.f[k].t} is rolled back and runs again`,
        (t) => Object.assign(t.f[k], { L: [], todo: undefined, pc: start }),
      ),
      deadlock: true,
    });
  }
  return moves;
}

export function moves(s, cfg) {
  const out = [], waits = new Map();
  for (let k = 0; k < s.f.length; k++) {
    for (const move of fiberMoves(s, k, cfg)) {
      if (move.next) out.push(move);
      else waits.set(k, [...(waits.get(k) ?? []), ...move.blocked]);
    }
  }
  if (waits.size > 1) out.push(...deadlocks(s, waits));
  return out.concat(claims(s, cfg), processes(s, cfg), clients(s));
}

// What must hold in every state; "" when all is well.
export function broken(s, cfg) {
  if (s.ghost.bad) return s.ghost.bad;
  if (final(s.i) && Object.values(s.jobs).some((j) => j.k !== "adv")) {
    return `an instance that is ${s.i.st} still has jobs`;
  }
  if (
    cfg.dedup !== "each" &&
    Object.values(s.jobs).filter((j) => j.k === "adv" && j.st === "a").length > 1
  ) return "two waiting advances (unique violation)";
  const lost = final(s.i) ? [] : unprocessed(s).filter((x) => s.i.a.includes(x));
  if (lost.length && !Object.values(s.jobs).some((j) => j.k === "adv")) {
    return `lost wake-up: result of ${lost} is unread and no advance job exists`;
  }
  return "";
}

// What must hold at rest.
export function restless(s, cfg) {
  const jobs = Object.keys(s.jobs);
  if (jobs.length) return `at rest with jobs left behind: ${jobs}`;
  if (final(s.i)) return "";
  const stuck = s.i.a.filter((x) => !isSignal(cfg.graph, x) || s.res[x]);
  return stuck.length || cfg.timer ? `stuck: at rest, ${s.i.a} active` : "";
}
