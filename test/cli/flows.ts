import { done, join, signal, step, type, workflow } from "../../mod.ts";

const ok = { events: { ok: type() } };
const fork = step("fork", { ...ok, run: ({ emit }) => emit.ok() });
const [left, right, boss] = [signal("left", ok), signal("right", ok), signal("boss", ok)];
const last = step("last", { ...ok, run: ({ emit }) => emit.ok() });

export const before = workflow("order", { key: "id", input: type(), start: fork })
  .on(fork, { ok: [left, right] })
  .on(left, { ok: join(last) })
  .on(right, { ok: join(last) })
  .on(last, { ok: done })
  .build();

/** The same with another signal in the place of "right". */
export const after = workflow("order", { key: "id", input: type(), start: fork })
  .on(fork, { ok: [left, boss] })
  .on(left, { ok: join(last) })
  .on(boss, { ok: join(last) })
  .on(last, { ok: done })
  .build();

export const mail = workflow("mail", { key: "id", input: type(), start: last, version: 3 })
  .on(last, { ok: done })
  .build();
