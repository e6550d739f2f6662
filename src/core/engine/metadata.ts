import { stepOf } from "./activation.ts";
import { causesOf } from "./causes.ts";
import { type Graph, row } from "../graph/graph.ts";
import type { Control } from "./instance.ts";
import { decode, encode, type JsonObject } from "../value/json.ts";

/**
 * The same control, with what the instance was started with: that is kept from the first step on
 * that adds to the metadata.
 */
export function withStart(control: Control, started: JsonObject): Control {
  if (control.metadata.size === 0 || control.metadata.has("")) return control;
  return { ...control, metadata: new Map([["", started], ...control.metadata]) };
}

/**
 * The metadata of an instance: of its start, and what its steps have added, in the order of the
 * rows.
 */
export function mergeMetadata(graph: Graph, control: Control): JsonObject {
  return merge(graph, [...control.metadata]);
}

/**
 * The metadata as a step sees it: of the start, and of the steps in the causal past of the arrival
 * that has started it. What a parallel branch has added is not in it, or it would depend on who was
 * faster. `all` is the metadata of the instance.
 */
export function metadataSeenBy(
  graph: Graph,
  control: Control,
  all: JsonObject,
  step: string,
): JsonObject {
  const { metadata, past } = control;
  if (metadata.size === 0) return all;
  const seen = new Set([""]);
  for (const cause of causesOf(graph, control, step)) {
    for (const name of past.get(stepOf(cause)) ?? []) seen.add(name);
  }
  if (seen.size === metadata.size) return all;
  return merge(graph, [...metadata].filter(([name]) => seen.has(name)));
}

function merge(graph: Graph, updates: [string, JsonObject][]): JsonObject {
  updates.sort(([a], [b]) => row(graph, a) - row(graph, b));
  const merged = Object.assign({}, ...updates.map(([, update]) => update));
  return decode(encode(merged, { what: "metadata", limit: Infinity })) as JsonObject;
}
