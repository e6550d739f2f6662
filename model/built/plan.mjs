// How a process plans turns: what it takes together, what it knows of the instances, what it gives up.
import { advance, changes, expire, isFinal, isSignal } from "./engine.mjs";
import { bad, blockers, clone, failed, isLone, unread } from "./state.mjs";
import { graphOf, versionOf } from "./moves.mjs";
import { historyOf } from "./undo.mjs";

// Tries the locks; calls fn(copy, self) when all are free, else says who blocks.
export function grain(s, at, label, locks, fn) {
  const self = at(s);
  const blocked = locks.flatMap(([mode, row]) => blockers(s, self, mode, row));
  if (blocked.length) return { label, blocked };
  const t = clone(s), me = at(t);
  for (const [mode, row] of locks) {
    if (!me.L.includes(mode + "|" + row)) me.L.push(mode + "|" + row);
  }
  fn(t, me);
  t.f = t.f.filter((f) => f.pc !== "gone");
  t.q = t.q.filter((q) => q.pc !== "gone");
  return { label, next: t };
}

export const fibersOf = (s, p) =>
  [...s.f, ...s.q.flatMap((q) => q.g.flatMap((g) => g.f))].filter((f) => f.p === p && f.j);
export const row = (cfg, i, [step, activation]) =>
  `${i}/${step}/${cfg.rowsByStep ? Math.sign(activation) : activation}`;
export const rowOf = (cfg, i, ending) =>
  row(cfg, i, cfg.laterTakesPlace ? [ending[0], Math.abs(ending[1])] : ending);

// What the cache of a process becomes by a read; one that was overtaken by a later one changes nothing.
export function remember(process, i, known) {
  const cached = process.c[i];
  if (cached && cached.v > known.v) return;
  delete process.c[i];
  if (!isFinal(known)) process.c[i] = clone(known);
}

const fresh = (s, p, i) => {
  const known = s.I[i];
  remember(s.P[p], i, known);
  return isFinal(known) ? undefined : clone(known);
};

// All that waits in a process, one group for each instance that is not under way already. A failure is a statement of
// its own, beside whatever is under way.
export function takes(s, p, cfg) {
  const failures = s.f.filter((f) => f.p === p && f.pc === "end" && f.x);
  return [
    ...failures.flatMap((f) => take(s, p, cfg, (g) => g === f, new Set(), true)),
    ...take(s, p, cfg, (f) => !f.x, underWay(s, p), false),
  ];
}

const underWay = (s, p) =>
  new Set(s.q.filter((q) => q.p === p && !q.tx && !q.alone).flatMap((q) => q.g.map((g) => g.i)));

function take(s, p, cfg, wanted, busy, alone) {
  const process = s.P[p], groups = new Map();
  for (const f of s.f) {
    if (f.p !== p || f.pc !== "end" || busy.has(f.i) || !wanted(f)) continue;
    const group = cfg.turnEach ? f.i + f.j : f.i;
    groups.set(group, [...(groups.get(group) ?? []), f]);
  }
  if (groups.size === 0 || !process.up) return [];
  const label = `P${p + 1} takes ${
    [...groups.values()].flat().map((f) => f.j)
  }, reads what it lacks`;
  const next = clone(s), all = [...groups.values()].flat().map((f) => s.f.indexOf(f));
  next.f = next.f.filter((_, k) => !all.includes(k));
  const g = [...groups.values()].map((fs) => ({
    i: fs[0].i,
    f: clone(fs.filter((f) => f.b === process.boot)),
    u: [],
  }))
    .filter(({ f }) => f.length > 0);
  for (const group of g) {
    const reads = group.f.some((f) => f.t !== "x");
    if (reads || !next.P[p].c[group.i]) remember(next.P[p], group.i, next.I[group.i]);
    if (reads) group.u = unread(next, group.i);
  }
  const own = alone ? { alone } : {};
  if (g.length > 0) next.q.push({ p, b: process.boot, pc: "plan", ...own, g, L: [] });
  return [{ label, next }];
}

// Read when the turn is planned: later than the instance.
function historyIn(s, q, i, cfg) {
  if (!cfg.graph.undoable) return undefined;
  if (!cfg.remembersHistory) return historyOf(s, i);
  return (s.P[q.p].h ??= {})[i] ??= historyOf(s, i);
}

function planOne(s, cfg, q, { i, f, u }, cached) {
  if (!cached) return { dropped: f, ignored: u };
  const fits = (x) => cfg.takesOtherVersions || versionOf(x) === versionOf(cached);
  const live = f.filter((x) =>
    x.t !== "x" || (fits(x) && (cfg.liveByStep ? x.s in cached.a : cached.a[x.s] === x.a))
  );
  const own = live.filter((x) => x.t === "x").map((
    x,
  ) => [x.s, x.w ? -x.a : cfg.liveByStep ? cached.a[x.s] : x.a, ...(x.x ? [failed] : [])]);
  const advanced = advance(
    graphOf(cfg, cached),
    cached,
    [...own, ...u],
    cfg,
    historyIn(s, q, i, cfg),
  );
  const out = live.some(({ t }) => t === "dl") ? expire(advanced) : advanced;
  if (!changes(cached, out)) return { dropped: f, ignored: [] };
  const mine = ([s, a]) => own.some((x) => x[0] === s && x[1] === a);
  const lone = !cfg.company && fibersOf(s, q.p).some(({ j }) => isLone(s, j, cfg));
  let free = lone ? 0 : cfg.slots - fibersOf(s, q.p).length + live.length;
  const started = out.started.map(([step, a]) => {
    const code = !isSignal(cfg.graph, step);
    const owned = code && s.P[q.p].acc && free-- > 0;
    return { s: step, a, code, owned };
  });
  const waits = out.applied.filter(([, a]) => a < 0).map(([step, a]) => ({
    s: step,
    a: -a,
    waits: true,
  }))
    .filter(({ s: step, a }) => out.instance.a[step] === a);
  const turn = {
    v: cached.v,
    to: { ...out.instance, v: cached.v + 1 },
    rec: out.applied.filter(mine),
    // Of a step that has ended here and was dropped, there is no row yet.
    mark: [...out.applied.filter((x) => !mine(x)), ...out.ignored.filter((x) => !mine(x))],
    dropped: out.dropped,
    settle: live.map((x) => x.j),
    started: [...started, ...waits],
    resolved: out.resolved,
    wake: out.wake,
  };
  const wrong = live.find((x) => x.t === "x" && cached.a[x.s] !== x.a);
  if (wrong) turn.wrong = `the result of ${wrong.s}${wrong.a} is taken for another activation's`;
  const other = live.find((x) => x.t === "x" && versionOf(x) !== versionOf(cached));
  if (other) turn.wrong = `the result of ${other.s}${other.a} is applied in another version`;
  const [row] = live, next = turn.started.find(({ owned }) => owned);
  if (next && live.length === 1 && (row.t === "x" || cfg.reusesAny)) {
    next.reuses = true;
    turn.settle = [];
    turn.reuse = { j: row.j, tk: row.tk + 1 };
  }
  return { turn, live, dropped: f.filter((x) => !live.includes(x)), ignored: [] };
}

export function plan(t, q, cfg) {
  for (const g of q.g) {
    let planned = planOne(t, cfg, q, g, t.P[q.p].c[g.i]);
    if (planned.dropped.length > 0 && !cfg.forgets) {
      planned = planOne(t, cfg, q, g, fresh(t, q.p, g.i));
    }
    planned.dropped.forEach((f, k) =>
      t.f.push({ ...f, pc: "pass", ig: k === 0 ? planned.ignored : [] })
    );
    g.turn = planned.turn;
    g.f = planned.live ?? [];
    g.u = [];
  }
  const over = q.g.every((g) => !g.turn);
  if (over && q.tx && cfg.overCommits) count(t, q, q.x);
  q.g = q.g.filter((g) => g.turn);
  q.pc = over ? "gone" : "fence";
}

export function count(t, _q, name) {
  t.X[name] = (t.X[name] ?? 0) + 1;
  if (t.X[name] > 1) bad(t, `the own transaction of ${name} was written twice`);
}
