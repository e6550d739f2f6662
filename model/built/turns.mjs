// The statement that writes turns, from the moment it is planned to its answer. Each entry of `moves` is one grain: what
// the process does between two awaits, or what the server does under one set of locks.
import { isFinal } from "./engine.mjs";
import { count, grain, plan, remember, row, rowOf } from "./plan.mjs";
import { addJob, apply, bad, clone, held, start, strike, wake, wakeLock } from "./state.mjs";
import { before, canBeUndone, historyOf, isUndo, rowDropped, rowFailed } from "./undo.mjs";

const jobsOf = (s, i, of) =>
  Object.keys(s.J).filter((id) => s.J[id].i === i && s.J[id].k !== "adv" && of(s.J[id]));
const swept = (s, { i, turn }, cfg) =>
  jobsOf(
    s,
    i,
    (job) =>
      (isFinal(turn.to) && !(cfg.leavesDeadline && job.k === "dl")) ||
      turn.resolved.includes(job.s) ||
      (!cfg.leavesJobs && turn.dropped.some(([step, a]) => step === job.s && a === job.a)),
  );

function locksOf(s, cfg, g) {
  const own = g.turn.reuse ? [g.turn.reuse.j] : g.turn.settle;
  const rows = [...own, ...swept(s, g, cfg)].filter((id) => s.J[id]).map((id) => ["X", id]);
  for (const ending of g.turn.rec) rows.push(["X", "r:" + rowOf(cfg, g.i, ending)]);
  for (const ending of g.turn.dropped) rows.push(["X", "r:" + rowOf(cfg, g.i, ending)]);
  if (g.turn.wake) rows.push(wakeLock(s, g.i));
  return rows;
}

// Everything below the update of the instance: depends on the instances that were written.
function write(t, cfg, q, g) {
  const { i, turn } = g, written = g.ok;
  if (!written && !cfg.writesStale) return;
  for (const ending of turn.rec) {
    t.R[rowOf(cfg, i, ending)] = ending[2] ? rowFailed : true;
    apply(t, i, ...ending);
  }
  // A delivery that is there already keeps its row, which its own advance marks.
  for (const ending of turn.dropped) {
    t.R[row(cfg, i, ending)] ??= rowDropped;
    if (canBeUndone(cfg.graph, ending[0])) bad(t, `${ending} is cut off while it could be undone`);
  }
  for (const [step, a, failure] of turn.mark) {
    t.R[row(cfg, i, [step, a])] = failure ? rowFailed : true;
  }
  for (const [step, a] of turn.mark) {
    if (turn.to.a[step] !== a && !t.ghost.applied[`${i}/${step}/${a}`] && t.I[i].a[step] === a) {
      apply(t, i, step, a);
    }
  }
  if (turn.wrong) bad(t, turn.wrong);
  const gone = swept(t, g, cfg);
  const taken = turn.reuse?.j, old = t.J[taken];
  if (gone.includes(taken)) bad(t, `${taken} is deleted and goes on in one statement`);
  for (const id of [...gone, ...turn.settle]) delete t.J[id];
  if (written && !g.second) {
    if (isFinal(t.I[i])) bad(t, `a turn rewrote an instance that is ${t.I[i].st}`);
    const { v, ver } = t.I[i];
    t.I[i] = { ...clone(turn.to), v: v + 1, ...(ver ? { ver } : {}) };
  }
  if (turn.to.u) proveUndoing(t, cfg, i, turn);
  for (const one of turn.started) {
    if (!one.waits) start(t, i, one.s, one.a);
    if (!one.code && !cfg.timer) continue;
    const job = {
      k: one.code ? "x" : "tmr",
      i,
      s: one.s,
      a: one.a,
      ...(one.owned ? { st: "e", o: q.b, n: 1, tk: 1 } : {}),
    };
    const { ver } = t.I[i];
    if (one.reuses && old) t.J[taken] = { ...job, tk: old.tk + 1, ...(ver ? { ver } : {}) };
    else if (one.reuses) bad(t, `${taken} is gone, in which ${one.s}${one.a} goes on`);
    else addJob(t, `${i}.${one.code ? "" : "t"}${one.s}${one.a}`, job);
  }
  if (turn.wake) wake(t, i);
}

function proveUndoing(t, cfg, i, { started }) {
  const ended = historyOf(t, i);
  for (const { s: step, a, waits } of started) {
    if (waits) continue;
    if (!isUndo(step)) bad(t, `${step}${a} starts although its instance undoes`);
    else if (before(cfg.graph, ended, [step.slice(1), a]).length > 0) {
      bad(t, `${step}${a} starts before what it has caused is undone`);
    }
  }
}

const stale = (q) => {
  for (const g of q.g) g.ok = false;
  q.L = [];
  q.pc = q.p < 0 ? "gone" : "ans";
};

// One turn after the other: what a batch falls back to when it meets a lock or a result that is there.
function split(t, q) {
  for (const g of q.g) {
    t.q.push({
      ...clone(q),
      pc: "fence",
      g: [clone({ ...g, ok: undefined })],
      L: [],
      k: undefined,
    });
  }
  q.pc = "gone";
}

function answer(t, q, cfg) {
  const process = t.P[q.p];
  for (const g of q.g) {
    if (!g.ok) {
      delete process.c[g.i];
      for (const f of g.f) {
        const tries = (f.tries ?? 0) + 1;
        t.f.push({ ...f, tries, pc: tries <= cfg.tries ? "end" : f.t === "x" ? "rec0" : "rt" });
      }
      continue;
    }
    remember(process, g.i, g.turn.to);
    for (const one of g.turn.started) {
      if (!one.owned) continue;
      const { j, tk } = one.reuses ? g.turn.reuse : { j: `${g.i}.${one.s}${one.a}`, tk: 1 };
      const { ver } = g.turn.to;
      const fiber = { t: "x", p: q.p, b: q.b, i: g.i, s: one.s, a: one.a, j, n: 1, tk, ver };
      t.f.push({ ...fiber, pc: "in", L: [] });
    }
  }
  q.pc = "gone";
}

export function turnMoves(s, n, cfg) {
  const q = s.q[n], at = (t) => t.q[n];
  const name = `${q.p < 0 ? "server" : "P" + (q.p + 1)} ${q.tx ? "tx " : ""}[${
    q.g.map((g) => g.i + ": " + (g.turn?.rec ?? g.f.map((f) => f.j)))
  }]`;
  const one = (label, locks, fn) => grain(s, at, `${name} ${label}`, locks, fn);
  if (q.pc === "rec") return [recordInTx(s, one, q, cfg)];
  if (q.pc === "plan") return [one(`plans by what it knows`, [], (t, me) => plan(t, me, cfg))];
  if (q.pc === "ans") {
    return [
      one(
        `answer: ${q.g.map((g) => `${g.i} ${g.ok ? "written" : "stale"}`)}`,
        [],
        (t, me) => answer(t, me, cfg),
      ),
    ];
  }
  if (q.pc === "fence") {
    const locks = cfg.fenceSnapshot ? [] : [["S", q.b]];
    const moves = [one("is sent; fence", locks, (t, me) => {
      if (t.pr.includes(me.b)) {
        me.pc = "lock";
        me.k = 0;
      } else if (me.tx) txStale(t, me, cfg);
      else stale(me);
    })];
    if (q.p >= 0 && s.bud.lost > 0) {
      moves.push({
        env: true,
        ...one("is sent, the client loses its connection", [], (t, me) => {
          t.bud.lost--;
          t.ghost.fault = true;
          for (const f of me.g.flatMap((g) => g.f)) {
            t.f.push({ ...clone(f), pc: me.tx ? "lost" : "end" });
          }
          for (const g of me.g) {
            g.f = [];
          }
          me.p = -1;
        }),
      });
    }
    return moves;
  }
  if (q.pc === "lock") {
    const g = q.g[q.k];
    const again = cfg.turnEach && q.g.findIndex((x) => x.i === g.i) < q.k;
    const locked = one(
      `locks ${g.i} v${s.I[g.i].v} against v${g.turn.v}`,
      [["X", g.i]],
      (t, me) => {
        const mine = me.g[me.k];
        mine.ok = again
          ? me.g.find((x) => x.i === mine.i).ok
          : t.I[g.i].v === g.turn.v || cfg.noRevision === true;
        if (again) mine.second = true;
        if (!mine.ok && me.tx) return txStale(t, me, cfg);
        me.k++;
        if (me.k === me.g.length) me.pc = "commit";
      },
    );
    if (locked.blocked && q.g.length > 1) {
      return [
        locked,
        one("meets a lock, goes one by one", [], (t, me) => split(t, me)),
      ];
    }
    return [locked];
  }
  const written = q.g.filter((g) => g.ok || cfg.writesStale);
  if (written.some((g) => g.turn.rec.some((ending) => rowOf(cfg, g.i, ending) in s.R))) {
    return [one("meets a result", [], (t, me) => {
      if (me.g.length > 1) split(t, me);
      else if (me.tx) {
        me.pc = "gone";
        t.f.push({ ...me.g[0].f[0], pc: "rt" });
      } else stale(me);
    })];
  }
  return [
    one(
      `COMMIT ${q.g.map((g) => (g.ok ? `${g.i} v${s.I[g.i].v + 1}` : `${g.i} stale`))}`,
      written.flatMap((g) => locksOf(s, cfg, g)),
      (t, me) => {
        if (me.g.some((g) => g.ok) && !t.pr.includes(me.b)) {
          bad(t, "a process that was declared dead wrote");
        }
        for (const g of me.g) {
          write(t, cfg, me, g);
        }
        if (me.tx && !cfg.txFirst) count(t, me, me.x);
        me.L = [];
        me.pc = me.p < 0 ? "gone" : "ans";
      },
    ),
  ];
}

function txStale(t, q, cfg) {
  q.n = (q.n ?? 0) + 1;
  if (q.n > cfg.txTries) {
    q.pc = "rec";
    return;
  }
  if (q.p < 0) {
    q.pc = "gone";
    return;
  }
  remember(t.P[q.p], q.g[0].i, t.I[q.g[0].i]);
  for (const g of q.g) g.turn = undefined;
  q.pc = "plan";
}

// The fallback of a step's transaction: its result is left for an advance.
function recordInTx(s, one, q, cfg) {
  const { i } = q.g[0], f = q.lease, place = rowOf(cfg, i, [f.s, f.a]), there = place in s.R;
  const locks = [["X", f.j], ["X", "r:" + place], ...(there ? [] : [wakeLock(s, i)])];
  return one(`records in its transaction, COMMIT`, locks, (t, me) => {
    const back = (pc) => {
      if (me.p >= 0) t.f.push({ ...me.g[0].f[0], pc });
    };
    me.pc = "gone";
    if (!held(t, f, cfg) || (there && !cfg.keepsWrites)) return back("pass");
    strike(t, f, "the record");
    delete t.J[f.j];
    count(t, me, me.x);
    if (there) return bad(t, `the own transaction of ${me.x} was written without its result`);
    t.R[place] = false;
    wake(t, i);
  });
}
