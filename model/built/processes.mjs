// What a process does beside its jobs: heartbeats, an orderly stop; and what may happen to it.
import { blockers, clone, giveBack, held, leaseOf, strike } from "./state.mjs";
import { fibersOf } from "./plan.mjs";

export const change = (s, label, fn, env = false) => {
  const next = clone(s);
  if (env) next.ghost.fault = true;
  fn(next);
  return { label, next, env };
};

// Processes that have done nothing yet are alike: only the first of them moves.
export function alike(s, p) {
  const idle = (q) =>
    s.P[q].up && s.P[q].acc && s.P[q].boot === "p" + (q + 1) && s.pr.includes(s.P[q].boot) &&
    Object.keys(s.P[q].c).length === 0 && fibersOf(s, q).length === 0 && !s.f.some((f) =>
      f.p === q
    ) &&
    !Object.values(s.J).some((job) => job.o === s.P[q].boot);
  if (!idle(p)) return false;
  for (let q = 0; q < p; q++) if (idle(q)) return true;
  return false;
}

// The heartbeat: what the process owns, by the database, against what it knows.
export function beats(s, cfg) {
  const moves = [];
  s.P.forEach((process, p) => {
    const { up, acc, boot } = process;
    if (!up || !acc || !s.pr.includes(boot) || !cfg.reconcile) return;
    const known = fibersOf(s, p), lists = (id) => leaseOf({ ...s.J[id], j: id, b: boot });
    const same = (x) => (y) =>
      x.j === y.j && (cfg.fence === "attempt" ? x.n === y.n : x.tk === y.tk);
    const owned = Object.keys(s.J).filter((id) => s.J[id].st === "e" && s.J[id].o === boot);
    const release = (t, lease) => {
      const job = t.J[lease.j];
      const theirs = cfg.givesBackById
        ? job?.st === "e"
        : cfg.givesBackAnyToken
        ? job?.st === "e" && job.o === boot
        : held(t, lease, cfg);
      if (!theirs) return;
      strike(t, lease, "a give-back");
      giveBack(t, lease.j, 1);
    };
    const isFree = ({ j, s: step }) =>
      blockers(s, null, "X", j).length === 0 &&
      (step !== "" || blockers(s, null, "X", "adv:" + (s.J[j]?.i ?? "")).length === 0);
    if (process.rel) {
      if (!process.rel.every(isFree)) return;
      moves.push(change(s, `P${p + 1} gives back ${process.rel.map(({ j }) => j)}`, (t) => {
        for (const one of t.P[p].rel) release(t, one);
        delete t.P[p].rel;
      }));
    } else if (process.beat) {
      moves.push(change(s, `P${p + 1} beat: compares`, (t) => {
        const { own, before } = t.P[p].beat, me = t.P[p];
        delete me.beat;
        for (const lease of before) {
          if (!own.some(same(lease)) && known.some(same(lease))) delete me.c[lease.i];
        }
        const unknown = own.filter((lease) => !known.some(same(lease)));
        const twice = cfg.oneBeat ? unknown : unknown.filter((lease) => me.u.some(same(lease)));
        me.u = unknown;
        if (twice.length > 0) me.rel = twice.map(leaseOf);
      }));
    }
    if (process.rel || process.beat) return;
    if (s.bud.beat > 0 && (known.length > 0 || owned.length > 0)) {
      moves.push({
        ...change(s, `P${p + 1} beat: reads that it owns ${owned}`, (t) => {
          t.bud.beat--;
          const before = known.map(({ j, n, tk, i }) => ({ j, n, tk, i }));
          t.P[p].beat = { own: owned.map(lists), before };
        }),
        env: true,
      });
    }
    if (
      owned.length > 0 && known.length === 0 && !s.q.some((q) => q.p === p) &&
      !s.f.some((f) => f.p === p)
    ) {
      const first = lists(owned[0]);
      if (isFree(first)) {
        moves.push(
          change(
            s,
            `P${p + 1} gives back ${first.j}, which it has not known for two beats`,
            (t) => {
              release(t, first);
              t.P[p].u = [];
            },
          ),
        );
      }
    }
  });
  return moves;
}

export function processes(s, cfg) {
  const moves = [];
  s.P.forEach(({ up, acc, boot, lv, _own }, p) => {
    if (alike(s, p)) return;
    const listed = s.pr.includes(boot), declared = s.f.some((f) => f.t === "res" && f.b === boot);
    if (up && s.bud.crash > 0) {
      moves.push(change(s, `P${p + 1} CRASHES`, (t) => {
        t.bud.crash--;
        t.P[p].up = false;
        t.f = t.f.filter((f) => f.p !== p);
        t.q = t.q.filter((q) => q.p !== p);
      }, true));
    }
    if (listed && !declared && acc && (!up || s.bud.dead > 0)) {
      moves.push({
        ...change(s, `lease of P${p + 1} ends${up ? " (it is alive)" : ""}`, (t) => {
          if (up) t.bud.dead--;
          t.f.push({ t: "res", p: -1, b: boot, pc: "r1", L: [] });
        }, true),
        env: up,
      });
    }
    if (up && !listed && acc) {
      moves.push(change(s, `P${p + 1} is told that it was declared dead, enters again`, (t) => {
        t.P[p].boot = boot + "'";
        t.P[p].u = [];
        delete t.P[p].beat;
        delete t.P[p].rel;
        t.pr.push(boot + "'");
      }));
    }
    if (up && acc && listed && s.bud.evict > 0) {
      for (const i of Object.keys(s.P[p].c)) {
        moves.push({
          ...change(s, `P${p + 1} forgets ${i}`, (t) => {
            t.bud.evict--;
            delete t.P[p].c[i];
          }),
          env: true,
        });
      }
    }
    if (up && acc && listed && s.bud.leave > 0) {
      moves.push(change(s, `P${p + 1} is asked to stop`, (t) => {
        t.bud.leave--;
        Object.assign(t.P[p], { acc: false, lv: 1 });
      }, true));
    }
    if (up && lv) moves.push(...stops(s, cfg, p));
  });
  return moves;
}

// An orderly stop: gives back what runs, then what the database says that it owns, and deletes its row.
function stops(s, cfg, p) {
  const { lv, boot, own } = s.P[p];
  const gives = (label, leases, next) => {
    if (leases.some(({ j }) => blockers(s, null, "X", j).length > 0)) return [];
    return [change(s, label, (t) => {
      for (const lease of leases) {
        if (!held(t, lease, cfg)) continue;
        strike(t, lease, "a give-back");
        giveBack(t, lease.j, 1);
      }
      t.P[p].lv = next;
    })];
  };
  const running = fibersOf(s, p).map(leaseOf);
  if (lv === 1) return gives(`P${p + 1} stops: gives back what runs`, running, 2);
  if (lv === 2) {
    return [change(s, `P${p + 1} stops: reads what it owns`, (t) => {
      t.P[p].lv = 3;
      t.P[p].own = Object.entries(s.J).filter(([, job]) => job.st === "e" && job.o === boot)
        .map(([j, job]) => leaseOf({ ...job, j, b: boot }));
    })];
  }
  if (lv === 3) return gives(`P${p + 1} stops: gives that back`, own, 4);
  if (lv !== 4) return [];
  return [change(s, `P${p + 1} stops: leaves`, (t) => {
    t.P[p].lv = 5;
    delete t.P[p].own;
    t.f.push({ t: "leave", p: -1, of: p, b: boot, pc: "r1", L: [] });
  })];
}
