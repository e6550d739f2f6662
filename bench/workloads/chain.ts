import { setTimeout as delay } from "node:timers/promises";
import { done, type Step, step, type, type Workflow, workflow } from "../../mod.ts";
import { inBulk, type Workload } from "./workload.ts";

interface ChainOptions {
  readonly steps: number;
  /** Milliseconds that each step waits. */
  readonly wait: number;
}

/** Consecutive steps that do nothing, or wait. */
export function chain({ steps, wait }: ChainOptions): Workload {
  const events = { ok: type<{ n: number }>() };
  const first = wait === 0
    ? step("s0", { events, run: ({ emit }) => emit.ok({ n: 1 }) })
    : step("s0", { events, run: ({ emit }) => delay(wait).then(() => emit.ok({ n: 1 })) });
  const all = Array.from({ length: steps }, (_, index) => first.as(`s${index}`));
  const built = link("chain", all);
  return { workflow: built, steps, start: inBulk(built) };
}

/**
 * Builds a workflow in a loop, as in plain JavaScript. The compiler can only check rows that are
 * written out.
 */
export function link(name: string, steps: readonly Step[]): Workflow {
  // deno-lint-ignore no-explicit-any
  let rows: any = workflow(name, { key: "id", input: type<object>(), start: steps[0]! });
  steps.forEach((one, index) => {
    rows = rows.on(one, { ok: steps[index + 1] ?? done });
  });
  return rows.build();
}
