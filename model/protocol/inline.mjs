import { isSignal, transit } from "./graphs.mjs";
import { grain, insertResult, rollback, write } from "./grain.mjs";
import {
  applied,
  final,
  insertAdvance,
  owns,
  startSteps,
  unprocessed,
  waitingAdvance,
} from "./state.mjs";

const earlyOf = (s, cfg) =>
  unprocessed(s).filter((x) => isSignal(cfg.graph, x) && !s.i.a.includes(x));

// Inline commit: one statement.
export function inlineMoves(s, k, f, cfg, name) {
  // e: kept deliveries, which the control state names
  const read = (t, g) => {
    g.c = { ...t.i, e: cfg.early === "ignore" ? [] : earlyOf(t, cfg) };
  };
  if (f.pc === "run" || f.pc === "ready") {
    if (!f.c) {
      return [grain(s, k, `${name} ends, reads the instance v${s.i.v}`, [], (t, g) => {
        read(t, g);
        g.pc = "ready";
        if (final(t.i) || !t.i.a.includes(g.s)) g.pc = "end";
      })];
    }
    return [grain(s, k, `${name} inline: snapshot (cache v${f.c.v})`, [], (t, g) => {
      g.sn = { alive: t.pr.includes(g.b) };
      if (cfg.early === "snapshot") g.c.e = earlyOf(t, cfg);
      g.pc = "i1";
    })];
  }
  if (f.pc === "i1") {
    const locks = cfg.fence === "share"
      ? [["S", f.b]]
      : cfg.fence === "joblock"
      ? [["X", f.j]]
      : [];
    return [grain(s, k, `${name} inline: fence (${cfg.fence})`, locks, (t, g) => {
      const ok = cfg.fence === "share"
        ? t.pr.includes(g.b) && g.sn.alive
        : cfg.fence === "snapshot"
        ? g.sn.alive
        : cfg.fence === "joblock"
        ? owns(t.jobs[g.j], g)
        : true;
      if (ok) g.pc = "i2";
      else rollback(g, "end");
    })];
  }
  if (f.pc === "i2") {
    return [
      grain(
        s,
        k,
        `${name} inline: locks the instance, v${s.i.v} against v${f.c.v}`,
        [["X", "i"]],
        (t, g) => {
          if (t.i.v === g.c.v || cfg.noVersion) g.pc = "i3";
          else rollback(g, "stale");
        },
      ),
    ];
  }
  if (f.pc === "stale") {
    return [grain(s, k, `${name} stale: reads again v${s.i.v}`, [], (t, g) => {
      read(t, g);
      g.pc = final(t.i) || !t.i.a.includes(g.s) ? "end" : "ready";
    })];
  }
  // i3: the rest of the statement, and its commit
  const out = transit(cfg.graph, f.c, f.s);
  const timers = Object.keys(s.jobs).filter((id) => s.jobs[id].k === "tmr" && s.jobs[id].s === f.s);
  const needAdvance = out.started.filter((x) => isSignal(cfg.graph, x))
    .some((x) => cfg.early === "always" || f.c.e.includes(x));
  const locks = [f.j, ...timers].map((row) => ["X", row]);
  const waiting = waitingAdvance(s);
  if (needAdvance && !waiting) locks.push(["X", "advuniq"]);
  else if (needAdvance && cfg.dedup === "update false") locks.push(["X", waiting]);
  const commit = (lost) => (t, g) => {
    if (!t.pr.includes(g.b)) t.ghost.bad = "a process that was declared dead wrote";
    const job = t.jobs[g.j];
    if (job && (!cfg.match || owns(job, g))) delete t.jobs[g.j];
    insertResult(t, g.s, true);
    applied(t, g.s);
    const { e: _, ...inst } = out.inst;
    write(t, { ...inst, v: t.i.v + 1 }, "an inline commit");
    const ids = startSteps(t, cfg, out.started);
    if (needAdvance && !waitingAdvance(t)) insertAdvance(t);
    let free = cfg.slots - t.f.filter((x) => x.p === g.p).length + 1;
    for (const id of ids) {
      if (free-- <= 0) break;
      Object.assign(t.jobs[id], { st: "e", o: g.b, n: 1 });
      if (!lost) {
        t.f.push({
          p: g.p,
          b: g.b,
          t: "x",
          pc: "run",
          j: id,
          s: t.jobs[id].s,
          n: 1,
          L: [],
          c: { ...t.i, e: cfg.early === "forget" ? [] : f.c.e },
        });
      }
    }
    g.pc = "end";
  };
  const moves = [grain(s, k, `${name} inline: COMMIT v${s.i.v + 1}`, locks, commit(false))];
  if (s.bud.lost > 0 && moves[0].next) {
    const lost = grain(
      s,
      k,
      `${name} inline: COMMIT v${s.i.v + 1}, the answer is lost`,
      locks,
      (t, g) => {
        commit(true)(t, g);
        t.bud.lost--;
      },
    );
    moves.push({ ...lost, env: true });
  }
  return moves;
}
