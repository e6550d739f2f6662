import { setTimeout as delay } from "node:timers/promises";
import { done, type Step, step, type, type Workflow, workflow } from "../../mod.ts";
import { inBulk, type Workload } from "./workload.ts";

/** Steps one after the other that do nothing, or wait. */
export function chain(
  { steps, wait }: { readonly steps: number; readonly wait: number },
): Workload {
  const first = step("s0", {
    events: { ok: type<{ n: number }>() },
    run: wait === 0 ? ({ emit }) => emit.ok({ n: 1 }) : async ({ emit }) => {
      await delay(wait);
      return emit.ok({ n: 1 });
    },
  });
  const all = Array.from({ length: steps }, (_, index) => first.as(`s${index}`));
  const built = link("chain", all);
  return { workflow: built, steps, start: inBulk(built) };
}

/** A workflow that is built in a loop, as plain JavaScript does: the compiler cannot follow a row that is not written out. */
export function link(name: string, steps: readonly Step[]): Workflow {
  // deno-lint-ignore no-explicit-any
  let rows: any = workflow(name, { key: "id", input: type<object>(), start: steps[0]! });
  steps.forEach((one, index) => {
    const next = steps[index + 1];
    rows = rows.on(
      one,
      Object.fromEntries(Object.keys(one.events).map((event) => [event, next ?? done])),
    );
  });
  return rows.build();
}
