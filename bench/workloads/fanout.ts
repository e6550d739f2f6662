import { done, join, step, type, workflow } from "../../mod.ts";
import { inBulk, type Workload } from "./workload.ts";

/** One step that starts `width` steps at once, and one that waits for all of them. */
export function fanout({ width }: { readonly width: number }): Workload {
  const begin = step("begin", { events: { go: type() }, run: ({ emit }) => emit.go() });
  const branch = step("branch", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const end = step("end", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const branches = Array.from({ length: width }, (_, index) => branch.as(`w${index}`));

  // deno-lint-ignore no-explicit-any
  let rows: any = workflow("fanout", { key: "id", input: type<object>(), start: begin });
  rows = rows.on(begin, { go: branches });
  for (const one of branches) rows = rows.on(one, { ok: join(end) });
  const built = rows.on(end, { ok: done }).build();
  return { workflow: built, steps: width + 2, start: inBulk(built) };
}
