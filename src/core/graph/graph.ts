/** What a step does: runs code, decides, waits for the outside, or waits for time. */
export type StepKind = "step" | "choice" | "signal" | "timer";

/** How an event arrives at a step: alone, with all others that join, or as one of several. */
export type ArrivalMode = "plain" | "join" | "first";

/** One way from an event to a step. */
export interface Arrival {
  /** The name of the step. */
  readonly to: string;
  /** How it arrives there. */
  readonly mode: ArrivalMode;
}

/** A step in the graph. */
export interface GraphStep {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly kind: StepKind;
  /** Its row, from 0: rows stand in the order in which they run. */
  readonly index: number;
  /** Where each event leads; nowhere when the road is done. */
  readonly moves: ReadonlyMap<string, readonly Arrival[]>;
  /** The steps that point at it with `join`, in the order of the rows. */
  readonly sources: readonly string[];
  /** The steps whose outcome is certain when it starts, and that it reads. */
  readonly needs: readonly string[];
  /** The steps whose outcome it reads if they have one. */
  readonly sees: readonly string[];
  /** Whether its work may be finished from outside. */
  readonly asynchronous: boolean;
}

/** A workflow as data: it can be drawn, compared and stored. */
export interface Graph {
  /** The name of the step that runs first. */
  readonly start: string;
  /** All steps, in the order of the rows. */
  readonly steps: ReadonlyMap<string, GraphStep>;
  /** The steps that point at `step` with `join`, in the order of the rows. */
  sources(step: string): readonly string[];
  /** Whether another step needs or sees `step`. */
  isRead(step: string): boolean;
}

/** The row of a step, from 0; -1 for what is none. */
export function row(graph: Graph, step: string): number {
  return graph.steps.get(step)?.index ?? -1;
}

/** Makes a graph of steps that stand in the order in which they run. */
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
