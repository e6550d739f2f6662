import { grain, rollback, write } from "./grain.mjs";
import { final, giveBack, owns, waitingAdvance } from "./state.mjs";

// Discard and cancel: the instance, then its jobs.
export function endMoves(s, k, f, cfg, name, status) {
  const victims = (t) =>
    Object.keys(t.jobs).filter((id) =>
      id !== f.j && (t.jobs[id].k !== "adv" || cfg.endsAdvances) &&
      (t.jobs[id].st === "a" || !cfg.endKeepsExecuting)
    ).sort();
  const own = f.t === "x";
  if (f.pc === "g0") {
    return [
      grain(
        s,
        k,
        `${name} ${status}: begins${own && cfg.jobFirst ? ", locks its job" : ""}`,
        own && cfg.jobFirst ? [["X", f.j]] : [],
        (t, g) => {
          if (cfg.endOneStatement) g.todo = victims(t);
          g.pc = "g1";
          if (own && cfg.jobFirst && !owns(t.jobs[g.j], g)) rollback(g, "end");
        },
      ),
    ];
  }
  if (f.pc === "g1") {
    return [grain(s, k, `${name} ${status}: locks the instance v${s.i.v}`, [["X", "i"]], (t, g) => {
      if (!cfg.endOneStatement) g.todo = victims(t);
      g.pc = own ? "g2" : "g3";
      if (final(t.i)) {
        if (own) g.todo = [];
        else rollback(g, "end");
      }
    })];
  }
  if (f.pc === "g2") {
    return [
      grain(
        s,
        k,
        `${name} ${status}: locks its job (state, owner, attempt)`,
        [["X", f.j]],
        (t, g) => {
          if (owns(t.jobs[g.j], g)) g.pc = "g3";
          else if (cfg.discardMatch) rollback(g, "end");
          else t.ghost.bad = "a stale attempt failed the instance";
        },
      ),
    ];
  }
  if (f.todo.length > 0) {
    return [
      grain(
        s,
        k,
        `${name} ${status}: locks ${f.todo[0]}`,
        s.jobs[f.todo[0]] ? [["X", f.todo[0]]] : [],
        (_t, g) => {
          g.todo.shift();
        },
      ),
    ];
  }
  return [grain(s, k, `${name} ${status}: COMMIT`, [], (t, g) => {
    for (const lock of g.L) if (t.jobs[lock.slice(2)]) delete t.jobs[lock.slice(2)];
    if (!final(t.i)) {
      write(t, { ...t.i, st: status, a: [], v: t.i.v + (cfg.endBumps ? 1 : 0) }, status);
    }
    g.pc = "end";
  })];
}

// Rescue: the process row, then its jobs.
export function rescueMoves(s, k, f, cfg, name) {
  const victims = (t) =>
    Object.keys(t.jobs).filter((id) => t.jobs[id].st === "e" && t.jobs[id].o === f.b).sort();
  if (f.pc === "r0") {
    return [grain(s, k, `${name} snapshot`, [], (t, g) => {
      g.todo = victims(t);
      g.pc = "r1";
    })];
  }
  if (f.pc === "r1") {
    return [grain(s, k, `${name} deletes the process row`, [["X", f.b]], (t, g) => {
      if (!cfg.rescueOneStatement) g.todo = victims(t);
      g.pc = "r2";
    })];
  }
  if (f.todo.length > 0) {
    return [
      grain(
        s,
        k,
        `${name} locks ${f.todo[0]}`,
        s.jobs[f.todo[0]] ? [["X", f.todo[0]]] : [],
        (_t, g) => {
          g.todo.shift();
        },
      ),
    ];
  }
  const yields = f.L.some((l) => l.startsWith("X|adv"));
  return [
    grain(
      s,
      k,
      `${name} COMMIT`,
      yields && !waitingAdvance(s) ? [["X", "advuniq"]] : [],
      (t, g) => {
        t.pr = t.pr.filter((b) => b !== g.b);
        for (const lock of g.L) {
          const job = t.jobs[lock.slice(2)];
          if (!job || job.st !== "e" || job.o !== g.b) continue;
          giveBack(t, lock.slice(2), cfg);
        }
        g.pc = "end";
      },
    ),
  ];
}
