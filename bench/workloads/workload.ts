import type { Hephaestus, Workflow } from "../../mod.ts";

/** What the instances of a run do. */
export interface Workload {
  readonly workflow: Workflow;
  /** Steps of one instance. */
  readonly steps: number;
  /** Starts instances with the keys `from` to `from + count - 1` after a prefix. */
  start(engine: Hephaestus, prefix: string, from: number, count: number): Promise<void>;
}

const batch = 1_000;

/** Starts instances with `startMany`, a thousand at a time, as recommended for large numbers. */
export function inBulk(workflow: Workflow): Workload["start"] {
  return async (engine, prefix, from, count) => {
    for (let at = from; at < from + count; at += batch) {
      await engine.startMany(workflow, items(prefix, at, Math.min(batch, from + count - at), {}));
    }
  };
}

/** Items for `startMany`. */
export function items<In>(
  prefix: string,
  from: number,
  count: number,
  input: In,
): readonly { readonly key: string; readonly input: In }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `${prefix}${from + index}`, input }));
}
