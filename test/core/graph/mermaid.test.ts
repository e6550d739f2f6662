import { describe, it } from "node:test";
import { assert, assertStringIncludes } from "@std/assert";
import { type Graph, graph } from "../../../src/core/graph/graph.ts";
import { toMermaid } from "../../../src/core/graph/mermaid.ts";

/** A graph that no definition would accept: a drawing can be of stored data. */
function named(name: string): Graph {
  return graph([{
    ...{ name, kind: "step", index: 0, asynchronous: false, sources: [], needs: [], sees: [] },
    moves: new Map([[name, []]]),
    loops: new Map(),
    drops: new Map(),
    undoing: new Set(),
    undoable: new Set(),
    returns: new Map(),
  }]);
}

describe("toMermaid()", () => {
  it("lets no label end its quotes, its line or the drawing", () => {
    const drawn = toMermaid(named(`a"]\nclick s0 "javascript:alert(1)" <b>|#`));

    assert(drawn.split("\n").length === 5, drawn);
    assert(!/[<>](?![|-])b/.test(drawn), drawn);
    assertStringIncludes(drawn, `s0["a#34;#93;#10;click s0 #34;javascript:alert(1)#34; #60;b#62;`);
  });

  it("keeps letters of every script", () => {
    assertStringIncludes(toMermaid(named("Prüfung 検査")), `s0["Prüfung 検査"]`);
  });
});
