import type { Refuse } from "../define/options.ts";
import type { StepDefinition } from "../define/step_definition.ts";

interface Descendant {
  readonly name: string;
  readonly steps?: ReadonlyMap<string, StepDefinition>;
  readonly versions?: ReadonlyMap<number, Descendant>;
}

/** Refuses a workflow that one of its children would start again: it would never end. */
export function proveDescent(
  name: string,
  steps: Iterable<StepDefinition>,
  refuse: Refuse,
): void {
  for (const step of steps) {
    if (step.child === undefined) continue;
    const way = wayTo(name, step.child.target, new Set());
    if (way === undefined) continue;
    const through = way.map((one) => `"${one}"`).join(", which starts ");
    throw refuse(`step "${step.name}" starts ${through}: a workflow cannot be its own descendant`);
  }
}

/** The names of the workflows from `from` to the one with this name, if one leads to it. */
function wayTo(
  name: string,
  from: Descendant,
  seen: Set<Descendant>,
): readonly string[] | undefined {
  if (from.name === name) return [name];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const one of [from, ...from.versions?.values() ?? []]) {
    for (const { child } of one.steps?.values() ?? []) {
      const way = child && wayTo(name, child.target, seen);
      if (way !== undefined) return [from.name, ...way];
    }
  }
  return undefined;
}
