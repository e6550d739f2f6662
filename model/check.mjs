// Breadth-first search over all interleavings; the first violation of a kind therefore has a shortest trace.
import { createHash } from "node:crypto";

export function check(
  { initial, key, broken, moves, restless },
  cfg,
  { limit = 2_000_000, stopAtFirst = true, progress = true } = {},
) {
  const seen = new Map(), parent = [], label = [], _texts = [], violations = new Map();
  const from = [], to = [], good = [];
  const digest = (text) => createHash("md5").update(text).digest("latin1");
  let frontier = [], deadlock = null, capped = false, rest = 0;

  const trace = (id) => {
    const out = [];
    for (let k = id; k > 0; k = parent[k]) out.push(label[k]);
    return out.reverse();
  };
  const report = (kind, id) => {
    const plain = kind.replace(/\(.*?\)/g, "").trim();
    if (!violations.has(plain)) violations.set(plain, trace(id));
  };
  const visit = (state, text, by, how, list) => {
    const hash = digest(text);
    const known = seen.get(hash);
    if (known !== undefined) return known;
    const id = parent.length;
    seen.set(hash, id);
    parent.push(by);
    label.push(how);
    const bad = broken(state, cfg);
    if (bad) report(bad, id);
    else list.push([id, text]);
    return id;
  };

  const first = initial(cfg);
  visit(first, key(first), -1, "", frontier);
  while (frontier.length && !(stopAtFirst && violations.size)) {
    const next = [];
    for (const [id, text] of frontier) {
      const state = JSON.parse(text);
      const all = moves(state, cfg);
      let busy = false;
      for (const move of all) {
        if (move.deadlock && !deadlock) deadlock = [...trace(id), move.label];
        if (!move.env) busy = true;
        const child = visit(move.next, key(move.next), id, move.label, next);
        if (progress && !move.env) {
          from.push(id);
          to.push(child);
        }
      }
      if (!busy) {
        rest++;
        const bad = restless(state, cfg);
        if (bad) report(bad, id);
        else good.push(id);
      }
    }
    frontier = next;
    if (parent.length > limit) {
      capped = true;
      break;
    }
  }

  if (progress && !capped && !violations.size) {
    const lost = cannotRest(parent.length, from, to, good);
    if (lost >= 0) report("livelock: no way on from here leads to rest", lost);
  }
  return { states: parent.length, rest, capped, violations, deadlock };
}

// The first state from which progress alone never comes to rest, or -1.
function cannotRest(n, from, to, good) {
  const head = new Int32Array(n).fill(-1), chain = new Int32Array(to.length);
  for (let e = 0; e < to.length; e++) {
    chain[e] = head[to[e]];
    head[to[e]] = e;
  }
  const fine = new Uint8Array(n), stack = [...good];
  for (const id of stack) fine[id] = 1;
  while (stack.length) {
    for (let e = head[stack.pop()]; e >= 0; e = chain[e]) {
      if (!fine[from[e]]) {
        fine[from[e]] = 1;
        stack.push(from[e]);
      }
    }
  }
  return fine.indexOf(0);
}
