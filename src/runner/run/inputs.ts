import type { InstanceState, StepOutput, Store } from "../../backend/store.ts";
import {
  anyEnd,
  anyEvent,
  everyOf,
  failedEvent,
  type Need,
  type StepDefinition,
} from "../../core/define/step_definition.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { activationOf, causesOf } from "../../core/engine/control.ts";
import type { Control } from "../../core/engine/instance.ts";
import type { Graph } from "../../core/graph/graph.ts";
import { withItems, withOutcomes } from "../each/outcomes.ts";
import { weightOf } from "../../core/value/json.ts";

type Read = Pick<StepOutput, "event" | "output">;

/**
 * Caches how each step ended last, loaded on demand. An output never changes, so the cache is never
 * stale. Earlier rounds of a loop are not read again, and would fill the memory.
 */
export class OutputCache {
  /** Approximate size of the outputs, in characters. */
  weight = 0;
  readonly #read = new Map<string, Activation & Read>();
  readonly #rest: OutputCache | undefined;

  /** What is not found in it is looked for in `rest`. */
  constructor(rest?: OutputCache) {
    this.#rest = rest;
  }

  get({ step, activation }: Activation): Read | undefined {
    const ended = this.#read.get(step);
    return ended?.activation === activation ? ended : this.#rest?.get({ step, activation });
  }

  /** How a step ended that is active, or ran last, in this control state. */
  latest(control: Control, step: string): Read | undefined {
    return this.get({ step, activation: activationOf(control, step) });
  }

  set({ step, activation, event, output }: Activation & Read): void {
    const before = this.#read.get(step);
    if (before !== undefined && before.activation >= activation) return;
    this.weight += weightOf(output) - (before === undefined ? 0 : weightOf(before.output));
    // The caller passes the text of the output along with the ending. It is not needed any more.
    this.#read.set(step, { step, activation, event, output });
  }
}

type Needs = readonly Omit<Need, "~output">[];

/** What a step requested in `needs`: the output of an event, or how the step ended. */
export function readNeeds(
  needs: Needs,
  ended: (step: string) => Read | undefined,
): Readonly<Record<string, unknown>> {
  const steps: Record<string, unknown> = {};
  for (const { name, event } of needs) {
    const found = ended(name);
    if (found === undefined) continue;
    const isAny = event === anyEnd || (event === anyEvent && found.event !== failedEvent);
    if (isAny) steps[name] = { event: found.event, output: found.output };
    else if (event === found.event) steps[name] = found.output;
  }
  return steps;
}

/**
 * Loads into `outputs` the endings of these steps that are missing. Returns the cache to read them
 * from: one of its own where another job of this process has read a later round in the meantime.
 */
export async function load(
  store: Pick<Store, "ended" | "endedBetween">,
  graph: Graph,
  { id, control }: Pick<InstanceState, "id" | "control">,
  outputs: OutputCache,
  steps: readonly string[],
): Promise<OutputCache> {
  const missing = steps
    .map((step) => ({ step, activation: activationOf(control, step) }))
    .filter((one) => outputs.get(one) === undefined);
  if (missing.length === 0) return outputs;
  const ended = await store.ended(id, missing);
  const found = await withItems(store, graph, id, ended);
  for (const ended of found) outputs.set(ended);
  if (found.every((ended) => outputs.get(ended) !== undefined)) return outputs;
  const own = new OutputCache(outputs);
  for (const ended of found) own.set(ended);
  return own;
}

/**
 * What a step sees: the latest output of each step in the causal past of the arrival that started
 * it, or the outputs of all its rounds. Outputs of parallel branches are excluded, or the result
 * would depend on which branch was faster.
 */
export async function seen(
  store: Pick<Store, "ended">,
  { id, control }: Pick<InstanceState, "id" | "control">,
  graph: Graph,
  { name, sees }: Pick<StepDefinition, "name" | "sees">,
): Promise<Readonly<Record<string, unknown>>> {
  if (sees.length === 0) return {};
  const rows = withOutcomes(graph, await store.ended(id, undefined));
  const { all, latest } = stepsBehind(rows, causesOf(graph, control, name));
  all.sort((a, b) => a.activation - b.activation);
  const rounds = sees.flatMap((need) => {
    const event = everyOf(need);
    const isMeant = (row: StepOutput) => row.step === need.name && row.event === event;
    const outputs = all.filter(isMeant).map(({ output }) => output);
    return event === undefined ? [] : [[need.name, outputs] as const];
  });
  return { ...readNeeds(sees, (step) => latest.get(step)), ...Object.fromEntries(rounds) };
}

/** The causal past of these causes: all results, and the latest of each step. */
export function stepsBehind(
  rows: readonly StepOutput[],
  causes: readonly string[],
): { readonly all: StepOutput[]; readonly latest: ReadonlyMap<string, StepOutput> } {
  const ended = new Map(rows.map((row) => [activationKey(row), row]));
  const past = new Set<string>();
  const latest = new Map<string, StepOutput>();
  const all: StepOutput[] = [];
  const walk = [...causes];
  for (let key = walk.pop(); key !== undefined; key = walk.pop()) {
    const row = ended.get(key);
    if (past.has(key) || row === undefined) continue;
    past.add(key);
    all.push(row);
    walk.push(...row.causes);
    if (row.activation > (latest.get(row.step)?.activation ?? 0)) latest.set(row.step, row);
  }
  return { all, latest };
}

/**
 * What a loop has brought back to a step since it was entered, oldest first. It follows the causes
 * back from the active activation to those before it.
 */
export async function broughtBack(
  store: Pick<Store, "ended">,
  graph: Graph,
  { id, control }: Pick<InstanceState, "id" | "control">,
  step: string,
): Promise<readonly unknown[]> {
  const rows = withOutcomes(graph, await store.ended(id, undefined));
  const ended = new Map(rows.map((row) => [activationKey(row), row]));
  let cause = control.active.get(step)?.cause;
  // A rewind may have taken back other activations of the step: they are not behind this one.
  const earlier = stepsBehind(rows, [cause ?? ""]).all.filter((row) => row.step === step)
    .sort((a, b) => b.activation - a.activation);
  const outputs: unknown[] = [];
  for (let left = control.rounds.get(step)?.since ?? 0; left > 0; left--) {
    outputs.push(ended.get(cause ?? "")?.output);
    cause = earlier[outputs.length - 1]?.causes[0];
  }
  return outputs.reverse();
}
