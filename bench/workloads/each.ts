import { done, each, type, workflow } from "../../mod.ts";
import { inBulk, type Workload } from "./workload.ts";

/** One step that runs for each of `items` items, ten at once. */
export function list({ items }: { readonly items: number }): Workload {
  const numbers = Array.from({ length: items }, (_, index) => index);
  const work = each("work", {
    over: () => numbers,
    events: { ok: type() },
    run: ({ emit }) => emit.ok(),
  });
  const built = workflow("list", { key: "id", input: type<object>(), start: work })
    .on(work, { finished: done })
    .build();
  // The list has two results of its own: that it has begun, and that it has finished.
  return { workflow: built, steps: items + 2, start: inBulk(built) };
}
