// What every transaction of the model is made of.
import { blockers, clone, final } from "./state.mjs";

// Tries the locks; calls fn(copy, fiber) when all are free, else says who blocks.
export function grain(s, k, label, locks, fn) {
  const blocked = locks.flatMap(([mode, row]) => blockers(s, k, mode, row));
  if (blocked.length) return { label, blocked };
  const t = clone(s), f = t.f[k];
  for (const [mode, row] of locks) if (!f.L.includes(mode + "|" + row)) f.L.push(mode + "|" + row);
  fn(t, f);
  t.f = t.f.filter((x) => x.pc !== "end");
  return { label, next: t };
}

export const rollback = (f, pc) => {
  f.L = [];
  f.todo = undefined;
  f.pc = pc;
};
export const insertResult = (t, step, processed) => {
  if (t.res[step]) t.ghost.bad = `${step} recorded twice`;
  t.res[step] = { p: processed };
};
export const write = (t, inst, who) => {
  if (final(t.i)) t.ghost.bad = `${who} rewrote a final instance (${t.i.st})`;
  t.i = inst;
};
