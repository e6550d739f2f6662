/** The kind of step: it runs code, decides, waits for a delivery, or waits for time. */
export type StepKind = "step" | "choice" | "signal" | "timer";

/**
 * How an event leads to a step: plainly, joined with others, or as one of several where the first
 * counts.
 */
export type ArrivalMode = "plain" | "join" | "first";

/** A transition from an event to a step. */
export interface Arrival {
  /** The name of the step. */
  readonly to: string;
  /** How it arrives. */
  readonly mode: ArrivalMode;
}

/** A step in the graph. */
export interface GraphStep {
  /** The name. */
  readonly name: string;
  /** The kind. */
  readonly kind: StepKind;
  /** The number of its row, from 0. Rows are in execution order. */
  readonly index: number;
  /** Where each event leads; empty for `done`. */
  readonly moves: ReadonlyMap<string, readonly Arrival[]>;
  /** The steps that lead to it with `join`, in row order. */
  readonly sources: readonly string[];
  /** The steps that it reads and whose results are certain to exist when it starts. */
  readonly needs: readonly string[];
  /** The steps that it reads and whose results may exist when it starts. */
  readonly sees: readonly string[];
  /** Whether a delivery from outside may end it. */
  readonly asynchronous: boolean;
}

/** A workflow as data, which can be drawn, compared and stored. */
export interface Graph {
  /** The name of the step that runs first. */
  readonly start: string;
  /** All steps, in row order. */
  readonly steps: ReadonlyMap<string, GraphStep>;
  /** The steps that lead to `step` with `join`, in row order. */
  sources(step: string): readonly string[];
  /** Whether another step needs or sees `step`. */
  isRead(step: string): boolean;
}

/** The row of a step, from 0; -1 for a name that is not in the graph. */
export function row(graph: Graph, step: string): number {
  return graph.steps.get(step)?.index ?? -1;
}

/** Creates a graph from steps in execution order. */
export function graph(steps: readonly GraphStep[]): Graph {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const read = new Set(steps.flatMap((step) => [...step.needs, ...step.sees]));
  return Object.freeze({
    start: steps[0]?.name ?? "",
    steps: byName,
    sources: (step: string): readonly string[] => byName.get(step)?.sources ?? [],
    isRead: (step: string): boolean => read.has(step),
  });
}
