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
    encoded.map(({ name, kind, asynchronous, moves, loops, drops }, index): GraphStep => ({
      name,
      kind,
      index,
      asynchronous,
      moves: new Map(Object.entries(moves)),
      loops: new Map(Object.entries(loops ?? {})),
      drops: new Map(Object.entries(drops ?? {})),
      sources: sourcesOf(name),
      needs: [],
      sees: [],
    })),
  );
}
