// The engine of the code, reduced to what the protocol can see. A step is named with its activation: "a1".
import { canBeUndone, isUndo, left, nextUndos } from "./undo.mjs";

export const graphs = {
  one: { first: "a", next: { a: [] } },
  chain: { first: "a", next: { a: ["b"], b: [] } },
  line: { first: "a", next: { a: ["b"], b: ["c"], c: [] } },
  again: { first: "a", next: { a: [] }, times: { a: 2 } },
  fan: { first: "a", next: { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, need: { d: 2 } },
  wait: { first: "a", next: { a: ["s"], s: [] }, signals: ["s"] },
  beside: {
    first: "a",
    next: { a: ["b", "s"], b: ["d"], s: ["d"], d: [] },
    need: { d: 2 },
    signals: ["s"],
  },
  later: { first: "s", next: { s: ["b"], b: [] }, later: ["s"] },
  dropped: {
    first: "a",
    next: { a: ["b", "c"], b: ["e"], c: ["d"], d: [], e: [] },
    drops: { b: ["c", "d"] },
  },
  droppedWait: {
    first: "a",
    next: { a: ["b", "s"], b: ["e"], s: ["d"], d: [], e: [] },
    drops: { b: ["s", "d"] },
    signals: ["s"],
  },
  rivals: {
    first: "a",
    next: { a: ["b", "c"], b: ["d"], c: ["d"], d: [] },
    drops: { b: ["c"], c: ["b"] },
  },
  undone: {
    first: "a",
    next: { a: ["b", "c"], b: [], c: [] },
    undos: ["b"],
    undoable: ["a", "c"],
  },
  undoneWait: {
    first: "a",
    next: { a: ["b", "s"], b: [], s: [] },
    signals: ["s"],
    undos: ["b"],
    undoable: ["a"],
    undoOn: ["cancelled"],
  },
  undoneLater: {
    first: "s",
    next: { s: [] },
    later: ["s"],
    undoable: ["s"],
    undoOn: ["failed", "cancelled"],
  },
  ending: {
    first: "a",
    next: { a: ["b"], b: [] },
    undoable: ["a", "b"],
    undoOn: ["failed", "cancelled"],
  },
  laterAgain: { first: "s", next: { s: [] }, times: { s: 2 }, later: ["s"] },
};

export const isSignal = (graph, step) => graph.signals?.includes(step) === true;
export const isLater = (graph, step) => graph.later?.includes(step) === true;
// The activation under which a step starts next: a rewind gives everything that can come after its step another one.
export const nextOf = (instance, step) => 1 + (instance.z?.[step] ?? 0);
export const isFinal = (instance) => instance.st !== "running" && instance.st !== "undoing";
export const opened = (graph) => ({
  v: 1,
  st: "running",
  a: { [graph.first]: 1 },
  n: 0,
  e: [],
  w: [],
});

// instance: { v revision, st status, a active step -> activation, n arrivals at the join, e kept deliveries, w waiting,
// d dropped steps, where a graph drops some, z how often each step was taken back, u how it ends once everything is undone, h of a failed one: what the fold of
// its history gives, with the steps that have failed in `over` }
// An ending is [step, activation]; a negative activation says that an asynchronous step waits from now on, and a third
// member that the step has failed for good, which ends the instance.
// `history` is read in turns of an instance that undoes.
export function advance(
  graph,
  before,
  endings,
  { dropsLater = false, keepsDropped = false } = {},
  history = [],
) {
  const now = { ...before, a: { ...before.a }, e: [...before.e], w: [...before.w] };
  const out = {
    applied: [],
    ignored: [],
    kept: [],
    started: [],
    resolved: [],
    dropped: [],
    wake: false,
  };
  const unread = [];
  const start = (step, activation) => {
    now.a[step] = activation;
    out.started.push([step, activation]);
  };
  let failed = false;
  const end = ([step, activation, failure]) => {
    failed ||= failure !== undefined && !now.u && !graph.undoOn?.includes("failed");
    delete now.a[step];
    now.w = now.w.filter((name) => name !== step);
    now.e = now.e.filter((name) => name !== step + activation);
    out.applied.push([step, activation, ...(failure === undefined ? [] : [failure])]);
    if (failed) {
      const over = unread.filter(([, , failure]) => failure !== undefined).map(([name]) => name);
      now.h = { a: { ...now.a, [step]: activation }, w: [...now.w], over: [step, ...over] };
      return;
    }
    if (!now.u && failure !== undefined) return undo("failed");
    out.started = out.started.filter(([name]) => name !== step);
    if ((isSignal(graph, step) || isLater(graph, step)) && before.a[step] === activation) {
      out.resolved.push(step);
    }
    if (now.u) return;
    if (graph.undos?.includes(step)) return undo("undone");
    for (const name of graph.drops?.[step] ?? []) drop(name);
    if (activation < (graph.times?.[step] ?? 1)) return start(step, activation + 1);
    for (const to of graph.next[step]) {
      const need = graph.need?.[to] ?? 1;
      if (need === 1 || ++now.n === need) start(to, nextOf(now, to));
    }
  };
  const drop = (step) => {
    const activation = now.a[step];
    if (activation === undefined) return;
    delete now.a[step];
    now.d = [...now.d ?? [], step].sort();
    now.w = now.w.filter((name) => name !== step);
    if (now.e.includes(step + activation)) {
      now.e = now.e.filter((name) => name !== step + activation);
      if (!unread.some(([name]) => name === step)) out.ignored.push([step, activation]);
    }
    out.dropped.push([step, activation]);
    out.started = out.started.filter(([name]) => name !== step);
  };
  const undo = (as) => {
    now.u = as;
    for (const step of Object.keys(now.a)) if (!canBeUndone(graph, step)) drop(step);
    const given = ([step, a]) => endings.some((one) => one[0] === step && one[1] === a);
    const early = now.e.map((name) => [name.slice(0, -1), Number(name.slice(-1))]);
    out.ignored.push(...early.filter((one) => !given(one)));
    now.e = [];
  };
  for (const ending of endings) {
    const [step, activation] = ending;
    if (activation > 0) unread.push(ending);
    else if (now.a[step] === -activation) {
      now.w.push(step);
      out.applied.push(ending);
    } else if (!dropsLater) out.ignored.push(ending);
  }
  for (let moved = true; moved && !failed;) {
    const next = unread.findIndex(([step, activation]) => now.a[step] === activation);
    moved = next >= 0;
    if (moved) end(unread.splice(next, 1)[0]);
  }
  if (now.u && !failed && Object.keys(now.a).every(isUndo)) {
    const ended = [...history, ...out.applied];
    for (const [step, a] of nextUndos(graph, ended, now.a)) start("~" + step, a);
    if (Object.keys(now.a).length === 0) now.st = left(graph, ended).length > 0 ? "failed" : now.u;
    else now.st = "undoing";
  } else if (now.u && !failed) now.st = "undoing";
  else now.st = failed ? "failed" : Object.keys(now.a).length > 0 ? "running" : "completed";
  if (isFinal(now)) {
    const early = now.e.map((name) => [name.slice(0, -1), Number(name.slice(-1))]);
    out.ignored.push(...unread, ...early);
    Object.assign(now, { a: {}, e: [], w: [] });
    out.started = [];
  } else {
    const isOver = ([step, activation]) =>
      now.u || (!keepsDropped && now.d?.includes(step) === true) ||
      (!(step in now.a) || now.a[step] > activation) && activation < nextOf(now, step);
    out.ignored.push(...unread.filter(isOver));
    out.kept = unread.filter((ending) => !isOver(ending));
  }
  for (const [step, activation] of out.kept) {
    if (!now.e.includes(step + activation)) now.e.push(step + activation);
  }
  out.wake = out.started.some(([step, activation]) => before.e.includes(step + activation));
  now.e.sort();
  now.w.sort();
  now.a = Object.fromEntries(Object.entries(now.a).sort());
  return { ...out, instance: now };
}

// The deadline of an instance has passed: it fails after what else the turn has done, unless that has ended it.
export function expire(out) {
  if (isFinal(out.instance)) return out;
  const early = out.instance.e.map((name) => [name.slice(0, -1), Number(name.slice(-1))]);
  return {
    ...out,
    ignored: [...out.ignored, ...early],
    kept: [],
    started: [],
    wake: false,
    instance: { ...out.instance, st: "failed", a: {}, e: [], w: [] },
  };
}

// Goes on with an instance that has failed. What ran starts again under another activation; what waits goes on waiting, and
// so does a step whose result was there and was ignored. `isThere` says whether a step has such a result.
export function retry(graph, before, isThere, { sameActivation = false } = {}) {
  const { h, ...rest } = before;
  const now = { ...rest, v: before.v + 1, st: "running", a: {}, e: [], w: [...h.w] };
  const out = { started: [], waiting: [], read: [] };
  for (const [step, activation] of Object.entries(h.a)) {
    const goesOn = isSignal(graph, step) || h.w.includes(step);
    const read = !h.over.includes(step) && isThere(step, activation);
    const raised = goesOn || read || (sameActivation && !h.over.includes(step)) ? 0 : 1;
    now.a[step] = activation + raised;
    if (read) out.read.push([step, activation]);
    else if (goesOn) out.waiting.push([step, activation]);
    else out.started.push([step, now.a[step]]);
  }
  for (const step of graph.signals ?? []) {
    if (!(step in now.a) && isThere(step, 1)) out.read.push([step, 1]);
  }
  return { ...out, instance: now };
}

// Whether a turn would change anything.
export function changes(before, { applied, ignored, started, instance }) {
  if (isFinal(instance)) return true;
  return applied.length + ignored.length > 0 ||
    instance.e.some((name) => !before.e.includes(name)) ||
    (before.st === "undoing" && started.length > 0);
}
