import type { Arrival, Graph, GraphStep, StepKind } from "./graph.ts";

/** A step as far as an instance that has begun depends on it. */
export interface DrawnStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly asynchronous: boolean;
  /** Where each event leads, sorted by the names of the events and of the steps. */
  readonly moves: Readonly<Record<string, readonly Arrival[]>>;
}

/**
 * What an instance that has begun depends on, as JSON text: the same for graphs on which it goes on
 * in the same way.
 *
 * The steps stand in the order of their rows, which decides how metadata is merged. Events and
 * targets are sets. What a step needs or sees is not in it: `build()` proves it for every run of
 * these moves, and every output is stored.
 */
export function drawn(graph: Graph): string {
  return JSON.stringify([...graph.steps.values()].map(drawnStep));
}

/** Reads what {@linkcode drawn} has written. */
export function readDrawn(text: string): readonly DrawnStep[] {
  return JSON.parse(text);
}

function drawnStep({ name, kind, asynchronous, moves }: GraphStep): DrawnStep {
  const sorted = [...moves].sort(([a], [b]) => compare(a, b));
  return {
    name,
    kind,
    asynchronous,
    moves: Object.fromEntries(
      sorted.map(([event, to]) => [event, [...to].sort((a, b) => compare(a.to, b.to))]),
    ),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Tells the graph of one version of one workflow from all others: FNV-1a, as a signed number of 64
 * bits.
 */
export function fingerprint(workflow: string, version: number, graph: Graph): string {
  const text = JSON.stringify([workflow, version, drawn(graph)]);
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  }
  return String(BigInt.asIntN(64, hash));
}
