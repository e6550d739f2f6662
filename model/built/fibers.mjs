// What a claimed job, a call of a client, a rescue or a stop does next.
import { isFinal, isLater, nextOf, retry } from "./engine.mjs";
import {
  addJob,
  bad,
  giveBack,
  held,
  isLone,
  leaseOf,
  start,
  strike,
  unread,
  wake,
  wakeLock,
} from "./state.mjs";
import { grain, remember, rowOf } from "./plan.mjs";
import { move, proveVersion, rowFormer, versionOf } from "./moves.mjs";
import { rewound } from "./rewind.mjs";
import { canBeUndone, rowDropped } from "./undo.mjs";

const gone = (f) => {
  f.pc = "gone";
};

// The attempts are used up: that is an ending like any other, written by itself. What a delivery may end too is recorded.
const fails = (me, cfg) => {
  me.x = true;
  me.pc = cfg.recordsFailure || isLater(cfg.graph, me.s) ? "rec0" : "end";
};

function begin(one, s, f, cfg) {
  const known = s.P[f.p].c[f.i];
  // An instance that was moved is cached with its former version.
  const isFormer = known && versionOf(known) !== versionOf(f) && !cfg.trustsCache;
  const cached = known && !isFormer ? known : s.I[f.i];
  return [one("looks whether its step is active", [], (t, me) => {
    if (!known || isFormer) remember(t.P[f.p], f.i, t.I[f.i]);
    if (cached.a[f.s] === f.a && f.t === "tmr") me.pc = "rec0";
    else if (cached.a[f.s] === f.a) {
      if (f.n > cfg.attempts) fails(me, cfg);
      else {
        me.pc = "run";
        if (held(t, leaseOf(f), cfg)) proveVersion(t, f, cached);
      }
    } else {
      remember(t.P[f.p], f.i, t.I[f.i]);
      me.pc = t.I[f.i].a[f.s] === f.a ? (f.t === "tmr" ? "rec0" : "snooze") : "pass";
    }
  })];
}

function run(s, one, f, cfg) {
  const own = cfg.tx?.includes(f.s);
  const moves = [];
  if (own) {
    moves.push(one("runs its last part in a transaction", [], (t, me) => {
      const { tries: _, ...fiber } = me;
      const x = `${f.i}/${f.s}/${f.a}`;
      if (!t.P[f.p].c[f.i]) remember(t.P[f.p], f.i, t.I[f.i]);
      if (cfg.txFirst) {
        t.X[x] = (t.X[x] ?? 0) + 1;
        if (t.X[x] > 1) bad(t, `the own transaction of ${x} was written twice`);
      }
      t.q.push({
        p: f.p,
        b: cfg.txAsNow ? t.P[f.p].boot : f.b,
        pc: isLater(cfg.graph, f.s) ? "rec" : "plan",
        tx: true,
        x,
        lease: leaseOf(f),
        g: [{ i: f.i, f: [{ ...fiber, L: [] }], u: [] }],
        L: [],
      });
      gone(me);
    }));
  } else if (isLater(cfg.graph, f.s)) {
    moves.push(one("ends by itself", [], (_t, me) => {
      me.pc = "rec0";
    }));
  } else {moves.push(one("ends", [], (_t, me) => {
      me.pc = "end";
    }));}
  if (isLater(cfg.graph, f.s)) {
    moves.push(one("waits from now on", [], (_t, me) => {
      me.w = true;
      me.pc = cfg.classic ? "rec0" : "end";
    }));
  }
  if (s.bud.fail > 0 && (!cfg.failing || cfg.failing === f.s)) {
    moves.push({
      env: true,
      ...one("throws", [], (t, me) => {
        t.bud.fail--;
        if (f.n < cfg.attempts) me.pc = "rt";
        else fails(me, cfg);
      }),
    });
  }
  return moves;
}

// Verdicts on a job, fenced by its lease. An answer that is lost makes the process carry out the verdict again.
function verdict(s, one, f, cfg, lease) {
  const locks = [["X", f.j], ...(f.t === "adv" ? [["X", "adv:" + f.i]] : [])];
  const marks = (t) => {
    for (const [step, a] of f.ig ?? []) t.R[`${f.i}/${step}/${a}`] = true;
  };
  const carryOut = (t, _me) => {
    if (cfg.marksAnyway) marks(t);
    if (!held(t, lease, cfg)) return;
    marks(t);
    strike(t, lease, { rt: "a retry", snooze: "a snooze", pass: "a pass" }[f.pc]);
    if (f.pc === "pass") delete t.J[f.j];
    else giveBack(t, f.j, f.pc === "snooze" ? 1 : 0);
  };
  const label =
    { rt: "is to be repeated", snooze: "is put off", pass: "found nothing to write" }[f.pc];
  const moves = [one(label, locks, (t, me) => {
    carryOut(t, me);
    gone(me);
  })];
  if (s.bud.lost > 0 && moves[0].next) {
    moves.push({
      env: true,
      ...one(`${label}, the answer is lost`, locks, (t, me) => {
        carryOut(t, me);
        t.bud.lost--;
        me.L = [];
      }),
    });
  }
  return moves;
}

function record(s, one, f, cfg, lease) {
  const ending = [f.s, f.w ? -f.a : f.a], place = rowOf(cfg, f.i, ending);
  if (f.pc === "rec0") {
    return [one("record: deletes its job by its lease", [["X", f.j]], (t, me) => {
      if (!held(t, lease, cfg)) return gone(me);
      strike(t, lease, "a record");
      me.pc = "rec1";
    })];
  }
  if (f.pc === "rec1") {
    const there = place in s.R;
    const locks = there ? [] : [["X", "r:" + place], wakeLock(s, f.i)];
    return [
      one(`record: ${there ? "a result is there" : "result and wake-up"}`, locks, (_t, me) => {
        me.d = there;
        me.pc = "rec2";
      }),
    ];
  }
  return [one("record: COMMIT", [], (t, me) => {
    delete t.J[f.j];
    if (!f.d) {
      t.R[place] = f.x ? 0 : false;
      wake(t, f.i);
    }
    gone(me);
  })];
}

function deliver(s, one, f, cfg) {
  const instance = s.I[f.i];
  if (f.pc === "d0") {
    return [one("delivery: reads its target", [], (_t, me) => {
      if (!instance || isFinal(instance)) return gone(me);
      if (instance.u && !(f.s in instance.a)) return gone(me);
      me.a = instance.a[f.s] ?? nextOf(instance, f.s);
      me.ver = instance.ver;
      me.pc = "d1";
    })];
  }
  const place = rowOf(cfg, f.i, [f.s, f.a]);
  if (f.pc === "d1" && place in s.R) {
    return [one("delivery: is a duplicate", [], (t, me) => {
      if (t.R[place] && instance.a[f.s] === f.a) {
        bad(t, "a delivery is refused although its step waits for it");
      }
      gone(me);
    })];
  }
  if (f.pc === "d1") {
    const locks = [["S", "deliveries:" + f.i], ["X", "r:" + place], wakeLock(s, f.i)];
    return [one("delivery: row and wake-up", locks, (t, me) => {
      // A trigger compares at the end of the statement, when it has waited for its locks.
      const isFormer = versionOf(me) !== versionOf(t.I[me.i]) && !cfg.comparesNoVersion;
      me.pc = isFormer ? "d0" : "d2";
      if (isFormer) me.L = [];
    })];
  }
  return [one("delivery: COMMIT", [], (t, me) => {
    t.R[place] = versionOf(f) === versionOf(t.I[f.i]) ? false : rowFormer;
    wake(t, f.i);
    gone(me);
  })];
}

// A cancel locks the instance, so that no turn overtakes it, and writes its turn in a later statement.
function cancel(s, one, f, cfg) {
  if (f.pc === "g1") {
    return [one("cancelled: locks the instance", [["X", f.i]], (t, me) => {
      const refused = isFinal(t.I[f.i]) || (t.I[f.i].u && !cfg.cancelsTwice);
      me.pc = refused ? "gone" : "g2";
    })];
  }
  if (cfg.graph.undoOn?.includes("cancelled") && !s.I[f.i].u) return [undoing(s, one, f, cfg)];
  const rest = Object.keys(s.J).filter((id) => s.J[id].i === f.i && s.J[id].k !== "adv");
  return [one("cancelled: its turn, COMMIT", rest.map((id) => ["X", id]), (t, me) => {
    for (const id of rest) delete t.J[id];
    for (const name of t.I[f.i].e) t.R[`${f.i}/${name.slice(0, -1)}/${name.slice(-1)}`] = true;
    t.I[f.i] = { ...t.I[f.i], st: "cancelled", a: {}, e: [], w: [], v: t.I[f.i].v + 1 };
    gone(me);
  })];
}

// A cancel that undoes does not read the history: an advance makes the second turn.
function undoing(s, one, { i }, cfg) {
  const over = Object.entries(s.I[i].a).filter(([step]) => !canBeUndone(cfg.graph, step));
  const rest = Object.keys(s.J).filter((id) =>
    s.J[id].i === i && over.some(([x]) => x === s.J[id].s)
  );
  const active = Object.entries(s.I[i].a).filter(([step]) => canBeUndone(cfg.graph, step));
  const locks = [
    ...rest.map((id) => ["X", id]),
    ...over.map(([x, a]) => ["X", `r:${i}/${x}/${a}`]),
  ];
  const wakes = active.length === 0 && !cfg.wakesNobody;
  if (wakes) locks.push(wakeLock(s, i));
  return one("cancelled: undoes, COMMIT", locks, (t, me) => {
    for (const id of rest) delete t.J[id];
    for (const [step, a] of over) t.R[`${i}/${step}/${a}`] ??= rowDropped;
    for (const name of t.I[i].e) t.R[`${i}/${name.slice(0, -1)}/${name.slice(-1)}`] = true;
    const w = t.I[i].w.filter((step) => canBeUndone(cfg.graph, step));
    const a = Object.fromEntries(active);
    t.I[i] = { ...t.I[i], st: "undoing", u: "cancelled", a, e: [], w, v: t.I[i].v + 1 };
    if (wakes) wake(t, i);
    gone(me);
  });
}

// A retry locks the instance, so that of two only one finds it failed. Then it takes away the instance's advances, waiting for
// those that are being ended, so that none of them takes the instance for final any more. What it reads, it reads after that.
function retried(s, one, f, cfg) {
  if (f.pc === "y1") {
    return [one("retries: locks the instance", [["X", f.i]], (t, me) => {
      me.pc = t.I[f.i].st !== "failed" ? "gone" : cfg.keepsAdvances ? "y3" : "y2";
    })];
  }
  if (f.pc === "y2") {
    const own = Object.keys(s.J).filter((id) => s.J[id].i === f.i && s.J[id].k === "adv");
    return [one("retries: takes the advances", own.map((id) => ["X", id]), (_t, me) => {
      me.own = own;
      me.pc = "y3";
    })];
  }
  const isThere = (step, a) => {
    const row = s.R[rowOf(cfg, f.i, [step, a])];
    return row !== undefined && row !== 0 && !s.ghost.applied[`${f.i}/${step}/${a}`];
  };
  const turn = retry(cfg.graph, s.I[f.i], isThere, cfg);
  const locks = turn.read.map((row) => ["X", "r:" + rowOf(cfg, f.i, row)]);
  const wakes = turn.read.length > 0 || unread(s, f.i).length > 0;
  if (wakes) locks.push(["X", "adv:" + f.i]);
  return [one("retries: its turn, COMMIT", locks, (t, me) => {
    t.I[f.i] = turn.instance;
    for (const id of f.own ?? []) delete t.J[id];
    for (const [step, a] of turn.started) {
      start(t, f.i, step, a);
      addJob(t, `${f.i}.${step}${a}r`, { k: "x", i: f.i, s: step, a });
    }
    for (const [step, a] of cfg.timer ? turn.waiting : []) {
      addJob(t, `${f.i}.t${step}${a}r`, { k: "tmr", i: f.i, s: step, a });
    }
    for (const row of turn.read) t.R[rowOf(cfg, f.i, row)] = false;
    if (wakes) wake(t, f.i);
    gone(me);
  })];
}

// A transaction that deletes a process row frees its jobs in a later statement.
function leave(s, one, f, cfg) {
  const rescue = f.t === "res", frees = rescue || cfg.leaveFrees;
  if (f.pc === "r1") {
    return [one("deletes the process row", [["X", f.b]], (_t, me) => {
      me.pc = "r2";
    })];
  }
  const theirs = frees
    ? Object.keys(s.J).filter((id) => s.J[id].st === "e" && s.J[id].o === f.b)
    : [];
  const locks = theirs.flatMap((
    id,
  ) => [["X", id], ...(s.J[id].k === "adv" ? [["X", "adv:" + s.J[id].i]] : [])]);
  return [one(`${frees ? "frees its jobs, " : ""}COMMIT`, locks, (t, me) => {
    t.pr = t.pr.filter((b) => b !== f.b);
    for (const id of theirs) {
      if (!rescue) giveBack(t, id, 1);
      else giveBack(t, id, theirs.length > 1 && !isLone(t, id, cfg) ? 1 : 0, 1);
    }
    if (!rescue) {
      t.P[f.of].up = false;
      t.f = t.f.filter((x) => x.p !== f.of);
      t.q = t.q.filter((x) => x.p !== f.of);
    }
    gone(me);
  })];
}

function open(_s, one, f, cfg) {
  if (f.pc === "o1") {
    return [one("start: holds the process row", [["S", f.b]], (t, me) => {
      me.al = t.pr.includes(f.b);
      me.pc = "o2";
    })];
  }
  const step = cfg.graph.first;
  if (f.pc === "o2") {
    return [one("start: COMMIT", [], (t, me) => {
      t.I[f.i] = { v: 1, st: "running", a: { [step]: 1 }, n: 0, e: [], w: [] };
      t.ghost.started[`${f.i}/${step}/1`] = 1;
      t.J[`${f.i}.${step}1`] = {
        st: f.al ? "e" : "a",
        o: f.al ? f.b : "",
        n: f.al ? 1 : 0,
        tk: f.al ? 1 : 0,
        k: "x",
        i: f.i,
        s: step,
        a: 1,
      };
      me.L = [];
      me.pc = "oa";
    })];
  }
  return [one("start: answer, the first step begins", [], (t, me) => {
    remember(t.P[f.p], f.i, { v: 1, st: "running", a: { [step]: 1 }, n: 0, e: [], w: [] });
    if (cfg.adopts === "owned" && !f.al) return gone(me);
    t.f.push({
      t: "x",
      p: f.p,
      b: t.P[f.p].boot,
      i: f.i,
      s: step,
      a: 1,
      j: `${f.i}.${step}1`,
      n: 1,
      tk: 1,
      pc: "in",
      L: [],
    });
    gone(me);
  })];
}

export function fiberMoves(s, k, cfg) {
  const f = s.f[k], at = (t) => t.f[k];
  const name = f.j
    ? `P${f.p + 1} (${f.b}) ${f.s || "advance"}${f.a || ""} of job ${f.j}#${f.tk}`
    : f.t === "res"
    ? `rescue of ${f.b}`
    : f.t === "leave"
    ? `stop of ${f.b}`
    : "client";
  const one = (label, locks, fn) => grain(s, at, `${name} ${label}`, locks, fn);
  const lease = leaseOf(f);
  if (f.t === "res" || f.t === "leave") return leave(s, one, f, cfg);
  if (f.t === "open") return open(s, one, f, cfg);
  if (f.t === "del") return deliver(s, one, f, cfg);
  if (f.pc[0] === "g") return cancel(s, one, f, cfg);
  if (f.pc[0] === "y") return retried(s, one, f, cfg);
  if (f.pc[0] === "m") return move(s, one, f, cfg);
  if (f.pc[0] === "w") return rewound(s, k, f, cfg);
  if (f.pc === "in") return begin(one, s, f, cfg);
  if (f.pc === "run") return run(s, one, f, cfg);
  if (f.pc.startsWith("rec")) return record(s, one, f, cfg, lease);
  if (f.pc === "lost") {
    return [one("its transaction's outcome is unknown: reads again", [], (t, me) => {
      remember(t.P[f.p], f.i, t.I[f.i]);
      me.pc = t.I[f.i].a[f.s] === f.a ? "run" : "pass";
    })];
  }
  if (f.pc === "end") return [];
  return verdict(s, one, f, cfg, lease);
}
