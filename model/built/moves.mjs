// A move of an instance to another version: `ver` is 2 afterwards, in its row and in its jobs. The graph of that version has a
// last step more. A move waits for deliveries, by a lock that they share, and for those that hold a job of the instance; it is
// refused while a job executes.
import { bad, waiting } from "./state.mjs";

// The value of a row of R that nobody has read and whose version is not that of its instance. It is falsy, and no advance reads it.
export const rowFormer = "";

export const versionOf = (row) => row?.ver ?? 1;

// A last step more after those that lead nowhere.
const longer = (graph) => ({
  ...graph,
  next: {
    ...Object.fromEntries(
      Object.entries(graph.next).map(([step, to]) => [step, to.length === 0 ? ["z"] : to]),
    ),
    z: [],
  },
});
const moved = new Map();

// The graph of the version that an instance has.
export function graphOf(cfg, instance) {
  if (versionOf(instance) === 1) return cfg.graph;
  if (!moved.has(cfg.graph)) moved.set(cfg.graph, longer(cfg.graph));
  return moved.get(cfg.graph);
}

export function move(s, one, f, cfg) {
  const own = (t, advance) =>
    Object.keys(t.J).filter((id) => t.J[id].i === f.i && (waiting(t, f.i) === id) === advance);
  const runs = (t) =>
    !cfg.movesRunning &&
    Object.values(t.J).some((job) => job.i === f.i && job.st === "e");
  if (f.pc === "m1") {
    return [one("moves: locks the instance", [["X", f.i]], (t, me) => {
      me.pc = t.I[f.i].st !== "running" ? "gone" : "m2";
    })];
  }
  if (f.pc === "m2") {
    const locks = cfg.admitsDeliveries ? [] : [["X", "deliveries:" + f.i]];
    return [one("moves: keeps deliveries out", locks, (_t, me) => {
      me.pc = "m3";
    })];
  }
  if (f.pc === "m3" || f.pc === "m4") {
    const rows = own(s, f.pc === "m4");
    return [one("moves: locks its jobs", rows.map((id) => ["X", id]), (t, me) => {
      me.pc = runs(t) ? "gone" : f.pc === "m3" ? "m4" : "m5";
    })];
  }
  return [one("moves: COMMIT", [], (t, me) => {
    t.I[f.i] = { ...t.I[f.i], ver: 2, v: t.I[f.i].v + (cfg.movesUnseen ? 0 : 1) };
    for (const id of [...own(t, false), ...own(t, true)]) {
      if (!cfg.leavesVersions) t.J[id].ver = 2;
    }
    for (const row of Object.keys(t.R)) {
      if (!row.startsWith(f.i + "/") || t.R[row] !== false) continue;
      if (cfg.leavesResults) t.R[row] = rowFormer;
    }
    me.pc = "gone";
  })];
}

// The code of one version must not run with what another one knows.
export function proveVersion(t, { i, s: step, a, ver }, known) {
  const [job, instance] = [versionOf({ ver }), versionOf(known)];
  if (job !== instance) bad(t, `runs ${step}${a} of version ${job} in version ${instance} of ${i}`);
}
