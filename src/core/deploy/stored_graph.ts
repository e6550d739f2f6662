import { decodeGraph } from "../graph/fingerprint.ts";
import { type Graph, graph, type GraphStep } from "../graph/graph.ts";

/**
 * A graph from its stored text: all that the engine needs to continue an instance. What steps need
 * and see is not stored.
 */
export function storedGraph(text: string): Graph {
  const encoded = decodeGraph(text);
  const sourcesOf = (name: string) =>
    encoded.filter(({ moves }) =>
      Object.values(moves).flat().some(({ to, mode }) => mode === "join" && to === name)
    ).map(({ name }) => name);
  return graph(
    encoded.map((step, index): GraphStep => ({
      name: step.name,
      kind: step.kind,
      index,
      asynchronous: step.asynchronous,
      ...(step.child === undefined ? {} : { child: step.child }),
      moves: new Map(Object.entries(step.moves)),
      loops: new Map(Object.entries(step.loops ?? {})),
      drops: new Map(Object.entries(step.drops ?? {})),
      undoing: new Set(step.undoing),
      undoable: new Set(step.undoable),
      returns: new Map(Object.entries(step.returns ?? {})),
      sources: sourcesOf(step.name),
      needs: [],
      sees: [],
    })),
  );
}
