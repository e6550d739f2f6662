import { type Graph, row } from "../graph/graph.ts";
import { decode, encode, type JsonObject } from "../value/json.ts";
import { stepOf } from "./activation.ts";
import { causesOf } from "./control.ts";
import type { Control } from "./instance.ts";

/**
 * Adds the metadata of the start to a control. It is stored as soon as a step adds to the metadata.
 */
export function withStart(control: Control, started: JsonObject): Control {
  if (control.metadata.size === 0 || control.metadata.has("")) return control;
  return { ...control, metadata: new Map([["", started], ...control.metadata]) };
}

/** The metadata of an instance: that of the start, and what its steps have added, in row order. */
export function mergeMetadata(graph: Graph, control: Control): JsonObject {
  return merge(graph, [...control.metadata]);
}

/**
 * The metadata that a step sees: that of the start, and what the steps in its causal past have
 * added. Additions by parallel branches are left out; otherwise the result would depend on timing.
 * `all` is the metadata of the instance.
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
