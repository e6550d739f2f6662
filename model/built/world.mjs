// Everything that can happen in a state, and what must hold. Moves marked `env` may never happen; the others are
// progress, and a state without any of them is at rest.
import { isFinal, isLater, isSignal } from "./engine.mjs";
import { fiberMoves } from "./fibers.mjs";
import { rowFormer } from "./moves.mjs";
import { fibersOf, takes } from "./plan.mjs";
import { alike, beats, change, processes } from "./processes.mjs";
import { bad, blockers, initial, isLone, key, unread } from "./state.mjs";
import { turnMoves } from "./turns.mjs";
import { historyOf, isUndo, left } from "./undo.mjs";

export { initial, key };

function claims(s, cfg) {
  const moves = [];
  s.P.forEach(({ up, acc, boot }, p) => {
    if (!up || !acc || alike(s, p) || fibersOf(s, p).length >= cfg.slots) return;
    if (cfg.claimFence && (!s.pr.includes(boot) || blockers(s, null, "S", boot).length > 0)) return;
    const here = fibersOf(s, p);
    if (!cfg.company && here.some(({ j }) => isLone(s, j, cfg))) return;
    const busy = here.length > 0 || s.f.some((f) => f.p === p) || s.q.some((q) => q.p === p);
    for (const [id, job] of Object.entries(s.J)) {
      if (busy && !cfg.company && isLone(s, id, cfg)) continue;
      if (job.st !== "a" || blockers(s, null, "X", id).length > 0) continue;
      const claim = (t, lost) => {
        const taken = t.J[id], place = `${job.i}/${job.s}/${job.a}`;
        const n = job.k === "x" ? job.n + 1 : (job.n % 2) + 1;
        Object.assign(taken, { st: "e", o: boot, n, tk: job.tk + 1 });
        if (job.k === "x" && t.R[place]) {
          bad(t, `${place} is executed again after its result was applied`);
        }
        if (job.k !== "adv" && isFinal(t.I[job.i])) {
          bad(t, `${place} is claimed although its instance is ${t.I[job.i].st}`);
        }
        const { i, s: step, a, ver } = job;
        if (!lost) {
          t.f.push({
            t: job.k,
            p,
            b: boot,
            i,
            s: step,
            a,
            j: id,
            n: taken.n,
            tk: taken.tk,
            ...(ver ? { ver } : {}),
            pc: job.k === "adv" || job.k === "dl" ? "end" : "in",
            L: [],
          });
        }
      };
      moves.push(change(s, `P${p + 1} claims ${id}`, (t) => claim(t, false)));
      if (s.bud.lost > 0) {
        moves.push(change(s, `P${p + 1} claims ${id}, the answer is lost`, (t) => {
          t.bud.lost--;
          claim(t, true);
        }, true));
      }
    }
  });
  return moves;
}

function clients(s, cfg) {
  const moves = [];
  const call = (label, budget, fiber) =>
    change(s, label, (t) => {
      t.bud[budget]--;
      t.f.push({ p: -1, i: "i1", L: [], ...fiber });
    });
  const step = cfg.graph.signals?.[0] ?? cfg.graph.later?.[0];
  if (s.bud.deliver > 0) {
    moves.push({
      ...call("client delivers", "deliver", { t: "del", pc: "d0", s: step }),
      env: true,
    });
  }
  if (s.bud.cancel > 0) {
    moves.push({ ...call("client cancels", "cancel", { t: "can", pc: "g1" }), env: true });
  }
  if (s.bud.retry > 0 && isFinal(s.I.i1 ?? { st: "running" })) {
    moves.push({ ...call("client retries", "retry", { t: "ret", pc: "y1" }), env: true });
  }
  if (s.bud.move > 0 && s.I.i1 !== undefined) {
    moves.push({ ...call("somebody moves", "move", { t: "mov", pc: "m1" }), env: true });
  }
  if (s.bud.rewind > 0 && s.I.i1) {
    moves.push({ ...call("client rewinds", "rewind", { t: "rew", pc: "w1" }), env: true });
  }
  return moves;
}

// A cycle of waits: PostgreSQL ends one of the transactions, which the engine runs again.
function deadlocks(s, waits) {
  const reaches = (from, goal, seen) =>
    (waits.get(from) ?? []).some((x) =>
      x === goal || (!seen.has(x) && reaches(x, goal, seen.add(x)))
    );
  const moves = [];
  for (const one of waits.keys()) {
    if (!reaches(one, one, new Set())) continue;
    const k = s.f.indexOf(one), n = s.q.indexOf(one);
    moves.push({
      ...change(s, `DEADLOCK: ${one.t ?? "a turn"} is rolled back`, (t) => {
        if (k >= 0) {
          Object.assign(t.f[k], {
            L: [],
            pc: {
              d: "d0",
              r: one.t === "res" || one.t === "leave" ? "r1" : "rec0",
              g: "g1",
              y: "y1",
              m: "m1",
              w: "w1",
            }[one.pc[0]] ?? one.pc,
          });
        } else {
          const q = t.q[n];
          q.L = [];
          for (const g of q.g) g.ok = false;
          q.pc = q.tx ? "plan" : q.p < 0 ? "gone" : "ans";
          t.q = t.q.filter((x) => x.pc !== "gone");
        }
      }),
      deadlock: true,
    });
  }
  return moves;
}

export function moves(s, cfg) {
  const out = [], waits = new Map();
  const sort = (owner, list) => {
    for (const move of list) {
      if (move.next) out.push(move);
      else waits.set(owner, [...(waits.get(owner) ?? []), ...move.blocked]);
    }
  };
  for (let k = 0; k < s.f.length; k++) sort(s.f[k], fiberMoves(s, k, cfg));
  for (let n = 0; n < s.q.length; n++) sort(s.q[n], turnMoves(s, n, cfg));
  for (let p = 0; p < s.P.length; p++) out.push(...takes(s, p, cfg));
  if (waits.size > 1) out.push(...deadlocks(s, waits));
  return out.concat(claims(s, cfg), beats(s, cfg), processes(s, cfg), clients(s, cfg));
}

// What must hold in every state; "" when all is well.
export function broken(s, cfg) {
  if (s.ghost.bad) return s.ghost.bad;
  for (const process of s.P.keys()) {
    const here = fibersOf(s, process);
    const lone = here.find(({ j, b }) => s.J[j]?.o === b && isLone(s, j, cfg));
    if (lone && here.length > 1) return `the job of ${lone.s}, which must run alone, has company`;
  }
  for (const [i, instance] of Object.entries(s.I)) {
    const jobs = Object.values(s.J).filter((job) => job.i === i);
    if (isFinal(instance) && jobs.some((job) => job.k !== "adv")) {
      return `an instance that is ${instance.st} still has jobs`;
    }
    const ended = instance.u && isFinal(instance) ? historyOf(s, i) : [];
    if (left(cfg.graph, ended).length > 0 && !ended.some(([x, , failed]) => isUndo(x) && failed)) {
      return `${left(cfg.graph, ended)} is not undone although the instance is ${instance.st}`;
    }
    const advances = jobs.filter((job) => job.k === "adv");
    if (advances.filter((job) => job.st === "a").length > 1) {
      return "two waiting advances (unique violation)";
    }
    const lost = unread(s, i).filter(([step, a]) => instance.a[step] === a);
    if (lost.length > 0 && advances.length === 0) {
      return `lost wake-up: result of ${lost[0]} is unread and no advance job exists`;
    }
  }
  return "";
}

// What must hold at rest.
export function restless(s, cfg) {
  const jobs = Object.keys(s.J);
  if (jobs.length > 0) return `at rest with jobs left behind: ${jobs}`;
  for (const [i, instance] of Object.entries(s.I)) {
    if (Object.keys(s.R).some((row) => row.startsWith(i + "/") && s.R[row] === rowFormer)) {
      return "at rest with a result of a former version, which nobody reads";
    }
    if (instance.ver && instance.st === "completed" && !s.ghost.applied[i + "/z/1"]) {
      return "completed without the last step of its version";
    }
    const left = unread(s, i).filter(([step, a]) =>
      isFinal(instance) || !instance.e.includes(step + a)
    );
    if (left.length > 0) return `at rest with a result that nobody reads: ${left}`;
    const stuck = Object.keys(instance.a).filter((x) =>
      !isSignal(cfg.graph, x) && !instance.w.includes(x)
    );
    if (instance.st === "undoing" && Object.keys(instance.a).length === 0) {
      return "stuck: at rest, it undoes and nothing is active";
    }
    if (stuck.length > 0) return `stuck: at rest, ${stuck} active without a job`;
    if (cfg.tx && instance.st === "completed") {
      for (const step of cfg.tx) {
        if (
          !isLater(cfg.graph, step) && s.ghost.applied[`${i}/${step}/1`] &&
          s.X[`${i}/${step}/1`] !== 1
        ) return `the own transaction of ${step} is missing`;
      }
    }
  }
  return "";
}
