// What a person does to an open instance: takes back a step and what it has caused, and starts it again.
import { isFinal, nextOf } from "./engine.mjs";
import { grain } from "./plan.mjs";
import { addJob, start } from "./state.mjs";
import { rowDropped } from "./undo.mjs";

function causedBy(graph, step) {
  const found = new Set([step]);
  for (const name of found) for (const to of graph.next[name]) found.add(to);
  return found;
}

// The instance without what the step has caused. Whatever can come after it gets another activation from now on.
export function takeBack(graph, before, step, hasEnded, { sameNumbers = false } = {}) {
  const gone = causedBy(graph, step);
  const z = { ...before.z };
  for (const name of sameNumbers ? [] : gone) z[name] = (z[name] ?? 0) + 1;
  const now = { ...before, v: before.v + 1, z, a: { ...before.a } };
  const withdrawn = Object.entries(before.a).filter(([name]) => gone.has(name));
  for (const [name] of withdrawn) delete now.a[name];
  now.a[step] = nextOf(now, step);
  now.a = Object.fromEntries(Object.entries(now.a).sort());
  now.w = before.w.filter((name) => !gone.has(name));
  now.e = before.e.filter((name) => !gone.has(name.slice(0, -1)));
  const overdue = before.e.filter((name) => gone.has(name.slice(0, -1)));
  for (const join of Object.keys(graph.need ?? {})) {
    if (!gone.has(join)) continue;
    const sources = Object.keys(graph.next).filter((name) => graph.next[name].includes(join));
    now.n = sources.filter((name) =>
      !gone.has(name) && hasEnded(name) && !(name in before.a)
    ).length;
  }
  return { instance: now, withdrawn, overdue };
}

// It locks the instance, so that no turn overtakes it, and writes its turn in a later statement, like a cancel.
export function rewound(s, k, f, cfg) {
  const one = (label, locks, fn) => grain(s, (t) => t.f[k], `client ${label}`, locks, fn);
  const at = s.I[f.i];
  const hasEnded = (step) =>
    Object.keys(s.ghost.applied).some((row) => row.startsWith(`${f.i}/${step}/`));
  if (f.pc === "w1") {
    return [one("rewinds: locks the instance", cfg.rewindsBlind ? [] : [["X", f.i]], (t, me) => {
      const isThere = cfg.rewinds in t.I[f.i].a || hasEnded(cfg.rewinds);
      me.pc = isFinal(t.I[f.i]) || t.I[f.i].u || !isThere ? "gone" : "w2";
      if (cfg.rewindsBlind) me.known = t.I[f.i];
    })];
  }
  const { instance, withdrawn, overdue } = takeBack(
    cfg.graph,
    f.known ?? at,
    cfg.rewinds,
    hasEnded,
    cfg,
  );
  const jobs = Object.keys(s.J).filter((id) =>
    s.J[id].i === f.i && withdrawn.some(([step, a]) => s.J[id].s === step && s.J[id].a === a)
  );
  const rows = withdrawn.map(([step, a]) => `${f.i}/${step}/${a}`);
  const locks = [...jobs.map((id) => ["X", id]), ...rows.map((row) => ["X", "r:" + row])];
  return [one("rewinds: its turn, COMMIT", locks, (t, me) => {
    if (!cfg.rewindLeavesJobs) { for (const id of jobs) delete t.J[id]; }
    for (const row of rows) t.R[row] ??= rowDropped;
    for (const name of overdue) t.R[`${f.i}/${name.slice(0, -1)}/${name.slice(-1)}`] = true;
    t.I[f.i] = instance;
    const a = instance.a[cfg.rewinds];
    start(t, f.i, cfg.rewinds, a);
    addJob(t, `${f.i}.${cfg.rewinds}${a}w`, { k: "x", i: f.i, s: cfg.rewinds, a });
    me.pc = "gone";
  })];
}
