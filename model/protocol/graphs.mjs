// The pure engine, reduced to what the protocol can see: which steps are active, how many roads have reached the join.
// A signal is active without a job of its own (its timer, when it has one, is a job).

export const graphs = {
  chain: { first: "a", next: { a: ["b"], b: [] } },
  fan: { first: "a", next: { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, need: { d: 2 } },
  signal: {
    first: "a",
    next: { a: ["b", "s"], b: ["d"], s: ["d"], d: [] },
    need: { d: 2 },
    signals: ["s"],
  },
  late: { first: "a", next: { a: ["b"], b: ["s"], s: [] }, signals: ["s"] },
  wait: { first: "a", next: { a: ["s"], s: [] }, signals: ["s"] },
};

export const isSignal = (graph, step) => (graph.signals ?? []).includes(step);

// inst: { v version, st status, a active steps, n arrivals at the join }
export function transit(graph, inst, step) {
  const active = inst.a.filter((s) => s !== step);
  const started = [];
  let arrivals = inst.n;
  for (const target of graph.next[step]) {
    const need = graph.need?.[target] ?? 1;
    if (need > 1 && ++arrivals < need) continue;
    active.push(target);
    started.push(target);
  }
  active.sort();
  return {
    inst: { ...inst, a: active, n: arrivals, st: active.length ? "running" : "completed" },
    started,
  };
}

// Applies every unprocessed result whose step is active, repeatedly: one may activate the next.
export function applyAll(graph, inst, unprocessed) {
  const used = [], started = [];
  let now = inst;
  for (let again = true; again;) {
    again = false;
    for (const step of unprocessed) {
      if (used.includes(step) || !now.a.includes(step)) continue;
      const out = transit(graph, now, step);
      now = out.inst;
      used.push(step);
      started.push(...out.started);
      again = true;
    }
  }
  return { inst: now, used, started };
}
