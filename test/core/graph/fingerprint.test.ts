import { describe, it } from "node:test";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encodeGraph, fingerprint, graphChanges } from "../../../src/core/graph/fingerprint.ts";
import { type Arrival, graph, type GraphStep } from "../../../src/core/graph/graph.ts";

type Moves = readonly (readonly [event: string, to: readonly Arrival[]])[];

function node(name: string, moves: Moves, part: Partial<GraphStep> = {}): GraphStep {
  return {
    name,
    kind: "step",
    index: 0,
    moves: new Map(moves),
    loops: new Map(),
    drops: new Map(),
    undoing: new Set(),
    undoable: new Set(),
    returns: new Map(),
    sources: [],
    needs: [],
    sees: [],
    asynchronous: false,
    ...part,
  };
}

const to = (name: string, mode: Arrival["mode"] = "plain"): Arrival => ({ to: name, mode });
const one = [
  node("a", [["ok", [to("b"), to("c")]], ["no", []]]),
  node("b", [["ok", []]]),
  node("c", [["ok", []]]),
];

describe("the fingerprint of a graph", () => {
  it("is the same for what an instance cannot tell apart", () => {
    const same = [
      node("a", [["no", []], ["ok", [to("c"), to("b")]]], { needs: ["b"], sees: ["c"] }),
      ...one.slice(1),
    ];
    assertEquals(encodeGraph(graph(same)), encodeGraph(graph(one)));
    assertEquals(fingerprint("order", 1, graph(same)), fingerprint("order", 1, graph(one)));
  });

  it("differs with each thing that an instance depends on, with the workflow and with the version", () => {
    const [a, b, c] = one as [GraphStep, GraphStep, GraphStep];
    const others = [
      [a, c, b],
      [b, a, c],
      [node("A", [...a.moves]), b, c],
      [{ ...a, kind: "choice" as const }, b, c],
      [{ ...a, asynchronous: true }, b, c],
      [node("a", [["ok", [to("b", "first"), to("c")]], ["no", []]]), b, c],
      [node("a", [["ok", [to("b", "join"), to("c")]], ["no", []]]), b, c],
      [node("a", [["ok", [to("b")]], ["no", [to("c")]]]), b, c],
      [node("a", [["ok", [to("b"), to("c")]]]), b, c],
      [a, b, { ...c, returns: new Map([["ok", "shipped"]]) }],
      [a, b, { ...c, returns: new Map([["ok", "sent"]]) }],
    ].map(graph);

    const all = [...[graph(one), ...others].map((other) => fingerprint("order", 1, other))];
    all.push(fingerprint("order", 2, graph(one)), fingerprint("orders", 1, graph(one)));

    assertEquals(new Set(all).size, all.length);
    for (const other of others) {
      const said = graphChanges(encodeGraph(graph(one)), encodeGraph(other));
      assertNotEquals(said, []);
    }
  });

  it("is a number that PostgreSQL can keep in 8 bytes", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 2_000; n++) {
      const number = BigInt(fingerprint(`flow${n}`, 1, graph(one)));
      assertEquals(BigInt.asIntN(64, number), number);
      seen.add(String(number));
    }
    assertEquals(seen.size, 2_000);
    assert([...seen].some((number) => number.startsWith("-")));
  });
});

describe("what differs between two graphs", () => {
  it("is said for what is returned", () => {
    const returning = (name: string) =>
      encodeGraph(graph([node("ship", [["ok", []]], { returns: new Map([["ok", name]]) })]));
    const nothing = encodeGraph(graph([node("ship", [["ok", []]])]));

    assertEquals(graphChanges(nothing, returning("shipped")), [
      'event "ok" of "ship" returns "shipped" instead of nothing',
    ]);
    assertEquals(graphChanges(returning("shipped"), returning("sent")), [
      'event "ok" of "ship" returns "sent" instead of "shipped"',
    ]);
  });

  it("is said for names that an object already has, and whatever order the store gives them back in", () => {
    const odd = node("constructor", [["toString", []], ["__proto__", []]]);
    const before = encodeGraph(graph([odd]));
    const after = encodeGraph(graph([node("constructor", [["toString", []]])]));
    assertEquals(graphChanges(before, after), ['event "__proto__" of "constructor" was removed']);
    assertEquals(graphChanges(after, before), ['event "__proto__" of "constructor" was added']);
  });

  it("knows which events end by undoing and which can be undone", () => {
    const encoded = (...parts: Partial<GraphStep>[]) =>
      encodeGraph(graph(parts.map((part) => node("a", [["ok", []], ["no", []]], part))));
    const plain = encoded({});
    const undoing = encoded({ undoing: new Set(["no"]), undoable: new Set(["ok", "failed"]) });

    assertEquals(graphChanges(plain, undoing), [
      'event "no" of "a" ends the instance by undoing',
      'step "a" can be undone after "failed"',
      'step "a" can be undone after "ok"',
    ]);
    assertEquals(graphChanges(undoing, plain), [
      'event "no" of "a" no longer ends the instance by undoing',
      'step "a" can no longer be undone after "failed"',
      'step "a" can no longer be undone after "ok"',
    ]);
    assert(!plain.includes("undo"), "a graph without undo is encoded as before");
  });
});
