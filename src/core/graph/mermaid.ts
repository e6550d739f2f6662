import type { Graph, StepKind } from "./graph.ts";

const shapes: Readonly<Record<StepKind, readonly [open: string, close: string]>> = {
  step: ["[", "]"],
  choice: ["{", "}"],
  signal: ["[/", "/]"],
  timer: ["([", "])"],
  each: ["[[", "]]"],
};

/** The shape of a step that starts a workflow as its child. */
const subroutine = ["[[", "]]"] as const;

const arrows = { plain: "-->", join: "==>", first: "-.->" } as const;

/**
 * The graph as a Mermaid flowchart. Thick arrows are joins, dotted arrows are `first`, and a cross
 * marks a branch that is dropped. Each way to end has a node of its own.
 */
export function toMermaid(graph: Graph): string {
  const lines = ["flowchart TD"];
  const id = (name: string): string => `s${graph.steps.get(name)?.index ?? "?"}`;
  const ends = new Set<string>();
  for (const step of graph.steps.values()) {
    const [open, close] = step.child === undefined ? shapes[step.kind] : subroutine;
    lines.push(`  ${id(step.name)}${open}"${escaped(step.name)}"${close}`);
  }
  for (const step of graph.steps.values()) {
    for (const [event, arrivals] of step.moves) {
      const loop = step.loops.get(event);
      if (loop !== undefined) {
        const label = `${escaped(event)}, limit ${loop.limit}`;
        lines.push(`  ${id(step.name)} -->|"${label}"| ${id(loop.to)}`);
        if (loop.ends) continue;
      }
      for (const { to, mode } of arrivals) {
        lines.push(`  ${id(step.name)} ${arrows[mode]}|"${escaped(event)}"| ${id(to)}`);
      }
      for (const branch of step.drops.get(event) ?? []) {
        lines.push(`  ${id(step.name)} --x|"${escaped(event)}"| ${id(branch)}`);
      }
      if (arrivals.length > 0) continue;
      const end = step.undoing.has(event) ? "undo" : "done";
      lines.push(`  ${id(step.name)} -->|"${escaped(event)}"| ${end}`);
      ends.add(end);
    }
  }
  for (const end of ends) lines.push(`  ${end}((("${end}")))`);
  return lines.join("\n") + "\n";
}

function escaped(label: string): string {
  return label.replace(/[^\p{L}\p{N} _.,:!?()-]/gu, (mark) => `#${mark.codePointAt(0)};`);
}
