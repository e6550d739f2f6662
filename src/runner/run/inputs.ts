import { causesOf, type Graph } from "../../core/graph/graph.ts";
import { weightOf } from "../../core/value/json.ts";
import type { Need } from "../../core/define/step_definition.ts";
import type { StepOutput, Store } from "../../backend/store.ts";

type Read = Pick<StepOutput, "event" | "output">;

/**
 * How steps ended, as far as somebody has asked for it. An output never changes, so this is never
 * stale.
 */
export class OutputCache extends Map<string, Read> {
  /** About how many characters the outputs take. */
  weight = 0;

  override set(step: string, { event, output }: Read): this {
    if (!this.has(step)) this.weight += weightOf(output);
    // Whoever gives an ending has the text of its output beside it, which nobody needs any more.
    return super.set(step, { event, output });
  }
}

type Needs = readonly Omit<Need, "~output">[];

/** What a step asked for by `needs`: the output of an event, or how the step ended. */
export function readNeeds(
  needs: Needs,
  ended: (step: string) => Read | undefined,
): Readonly<Record<string, unknown>> {
  const steps: Record<string, unknown> = {};
  for (const { name, event } of needs) {
    const found = ended(name);
    if (found === undefined) continue;
    if (event === "*") steps[name] = { event: found.event, output: found.output };
    else if (event === found.event) steps[name] = found.output;
  }
  return steps;
}

/** Loads what is missing of `steps` into `outputs`. */
export async function load(
  store: Pick<Store, "ended">,
  instance: string,
  outputs: OutputCache,
  steps: readonly string[],
): Promise<void> {
  const missing = steps.filter((step) => !outputs.has(step));
  if (missing.length === 0) return;
  for (const ended of await store.ended(instance, missing)) outputs.set(ended.step, ended);
}

/**
 * What a step sees: outputs of steps in the causal past of the arrival that started it. What a
 * parallel branch happens to have done is not in it, or the result would depend on who was faster.
 */
export async function seen(
  store: Pick<Store, "ended">,
  instance: string,
  graph: Graph,
  cause: string | undefined,
  step: string,
  sees: Needs,
): Promise<Readonly<Record<string, unknown>>> {
  if (sees.length === 0) return {};
  const ended = new Map((await store.ended(instance, undefined)).map((row) => [row.step, row]));
  const past = new Set<string>();
  const walk = [...causesOf(graph, step, cause)];
  for (let name = walk.pop(); name !== undefined; name = walk.pop()) {
    if (past.has(name)) continue;
    past.add(name);
    walk.push(...ended.get(name)?.causes ?? []);
  }
  return readNeeds(sees, (name) => past.has(name) ? ended.get(name) : undefined);
}
