// What an open transaction or a running step can do next. Each entry of `moves` is one indivisible grain: a snapshot, one lock
// with its re-check on the latest row version, or the final writes with the commit.
import { endMoves, rescueMoves } from "./ends.mjs";
import { applyAll } from "./graphs.mjs";
import { grain, insertResult, rollback, write } from "./grain.mjs";
import { inlineMoves } from "./inline.mjs";
import {
  applied,
  final,
  insertAdvance,
  owns,
  startSteps,
  unprocessed,
  waitingAdvance,
} from "./state.mjs";

// Classic recording: execute, timer and delivery.
function recordMoves(s, k, f, cfg, name) {
  if (f.pc === "run" || f.pc === "c0") {
    const locks = cfg.dedup === "advisory"
      ? [["S", "advisory"]]
      : cfg.dedup === "rowshare"
      ? [["S", "i"]]
      : [];
    return [
      grain(s, k, `${name} record: begins${locks.length ? ", shared lock" : ""}`, locks, (t, g) => {
        g.pc = g.j ? "c1" : "c2";
        if (g.t === "del" && final(t.i)) rollback(g, "end");
      }),
    ];
  }
  if (f.pc === "c1") {
    return [
      grain(
        s,
        k,
        `${name} record: deletes its job (state, owner, attempt)`,
        [["X", f.j]],
        (t, g) => {
          if (owns(t.jobs[g.j], g)) g.pc = "c2";
          else if (cfg.classicMatch || !t.jobs[g.j]) rollback(g, "end");
          else t.ghost.bad = "a stale settlement was accepted";
        },
      ),
    ];
  }
  if (f.pc === "c2") {
    const adv = waitingAdvance(s), locks = [["X", "r:" + f.s]];
    if (s.res[f.s]) {
      return [grain(s, k, `${name} record: a result is there already`, [], (_t, g) => {
        g.dup = true;
        g.pc = "c3";
      })];
    }
    if (cfg.dedup === "each") {
      /* one advance job per result, no unique index */
    } else if (!adv) locks.push(["X", "advuniq"]);
    else if (cfg.dedup === "update false") locks.push(["X", adv]);
    const insert = cfg.dedup === "each" || !adv;
    return [
      grain(
        s,
        k,
        `${name} record: inserts result; advance ${
          insert ? "inserted" : "deduplicated against " + adv
        }`,
        locks,
        (_t, g) => {
          g.ins = insert;
          g.pc = "c3";
        },
      ),
    ];
  }
  return [grain(s, k, `${name} record: COMMIT`, [], (t, g) => {
    if (g.j) delete t.jobs[g.j];
    if (!g.dup) {
      insertResult(t, g.s, false);
      if (g.ins) insertAdvance(t);
    }
    g.pc = "end";
  })];
}

// Advance job.
function advanceMoves(s, k, f, cfg, name) {
  const read = (t, g) => {
    g.c = { i: t.i, u: unprocessed(t) };
  };
  const locks = cfg.advance === "row"
    ? [["X", "i"]]
    : cfg.advance === "advisory"
    ? [["X", "advisory"]]
    : [];
  if (f.pc === "run" && cfg.oneStatement) {
    return [grain(s, k, `${name} snapshot before the lock`, [], (t, g) => {
      read(t, g);
      g.pc = "v1";
    })];
  }
  if (f.pc === "run" || f.pc === "v1") {
    return [
      grain(
        s,
        k,
        `${name} lock (${cfg.advance}), then read v${s.i.v}, unprocessed [${unprocessed(s)}]`,
        locks,
        (t, g) => {
          if (g.pc === "v1") g.c.i = t.i;
          else read(t, g);
          g.pc = "v2";
        },
      ),
    ];
  }
  const out = final(f.c.i)
    ? { inst: f.c.i, used: [], started: [] }
    : applyAll(cfg.graph, f.c.i, f.c.u);
  const kept = f.c.u.some((x) => !out.used.includes(x)) && !final(out.inst);
  const changes = out.used.length > 0 || (kept && (cfg.early === "bump" || cfg.early === "forget"));
  const timers = Object.keys(s.jobs).filter((id) =>
    s.jobs[id].k === "tmr" && out.used.includes(s.jobs[id].s)
  );
  const need = [f.j, ...timers].map((row) => ["X", row]);
  if (changes) need.push(["X", "i"]);
  const own = cfg.advanceOwns && s.P[f.p].inline;
  if (own && cfg.advanceOwns === "share") need.push(["S", f.b]);
  return [grain(s, k, `${name} applies [${out.used}], COMMIT`, need, (t, g) => {
    if (changes && t.i.v !== g.c.i.v) return rollback(g, "run");
    if (!owns(t.jobs[g.j], g)) return rollback(g, "end");
    if (cfg.advanceOwns === "share" && !t.pr.includes(g.b)) return rollback(g, "end");
    delete t.jobs[g.j];
    if (changes) {
      for (const step of out.used) {
        if (!t.res[step] || t.res[step].p) t.ghost.bad = `${step} applied twice`;
        t.res[step] = { p: true };
        applied(t, step);
      }
      write(t, { ...out.inst, v: t.i.v + 1 }, "an advance");
      const ids = startSteps(t, cfg, out.started, cfg.timerForResolved ? [] : out.used);
      if (own && ids.length) {
        Object.assign(t.jobs[ids[0]], { st: "e", o: g.b, n: 1 });
        t.f.push({
          p: g.p,
          b: g.b,
          t: "x",
          pc: "run",
          j: ids[0],
          s: t.jobs[ids[0]].s,
          n: 1,
          L: [],
        });
      }
    }
    g.pc = "end";
  })];
}

export function fiberMoves(s, k, cfg) {
  const f = s.f[k];
  const name = f.p >= 0
    ? `P${f.p + 1}${f.b.length > 2 ? "'" : ""} ${f.j}#${f.n}`
    : f.t === "res"
    ? `rescue of ${f.b}`
    : "client";
  if (f.t === "res") return rescueMoves(s, k, f, cfg, name);
  if (f.t === "adv") return advanceMoves(s, k, f, cfg, name);
  if (f.t === "can") return endMoves(s, k, f, cfg, name, "cancelled");
  if (f.t !== "x") return recordMoves(s, k, f, cfg, name);
  if (f.pc[0] === "g") return endMoves(s, k, f, cfg, name, "failed");
  const moves = s.P[f.p].inline ? inlineMoves(s, k, f, cfg, name) : recordMoves(s, k, f, cfg, name);
  if (f.pc === "run" && s.bud.fail > 0 && cfg.failing === f.s) {
    const again = f.n < cfg.attempts;
    moves.push({
      env: true,
      ...grain(s, k, `${name} throws`, again ? [["X", f.j]] : [], (t, g) => {
        t.bud.fail--;
        if (!again) {
          g.pc = "g0";
          return;
        }
        if (owns(t.jobs[g.j], g)) Object.assign(t.jobs[g.j], { st: "a", o: "" });
        g.pc = "end";
      }),
    });
  }
  return moves;
}
