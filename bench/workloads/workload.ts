import type { Hephaestus, Workflow } from "../../mod.ts";
import type { Observer } from "../observer.ts";

/** What the instances of a run do. */
export interface Workload {
  readonly workflow: Workflow;
  /** Steps of one instance. */
  readonly steps: number;
  /** Starts instances with the keys `from` to `from + count - 1` behind a prefix. */
  start(engine: Hephaestus, prefix: string, from: number, count: number): Promise<void>;
  /** Fills the tables before anything is measured. */
  prepare?(observer: Observer, schema: string): Promise<void>;
}

const batch = 1_000;

/** Starts with `startMany`, a thousand at a time: what whoever has many does. */
export function inBulk(workflow: Workflow, input: unknown = {}): Workload["start"] {
  return async (engine, prefix, from, count) => {
    for (let at = from; at < from + count; at += batch) {
      await engine.startMany(
        workflow,
        items(prefix, at, Math.min(batch, from + count - at), input),
      );
    }
  };
}

/** What `startMany` takes. */
export function items(
  prefix: string,
  from: number,
  count: number,
  input: unknown,
): readonly { readonly key: string; readonly input: unknown }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `${prefix}${from + index}`, input }));
}
