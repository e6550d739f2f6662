import { mostDeaths } from "../../backend/job.ts";
import type { StepOutput } from "../../backend/store.ts";
import { failedEvent, type ItemDefinition } from "../../core/define/step_definition.ts";
import { eachAt, isItem, itemsOf, placeOf } from "../../core/each/items.ts";
import type { Activation } from "../../core/engine/activation.ts";
import { type Decide, type EachEnd, ITEMS, type StepEnding } from "../../core/engine/progress.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { StepFailure } from "../../core/value/failure.ts";
import { decode } from "../../core/value/json.ts";
import { readNeeds } from "../run/inputs.ts";
import type { LocalResult } from "../run/outcome.ts";
import { decider, type Deciding, MissingOutputs } from "../turn/decide.ts";
import { listOf } from "./lists.ts";
import { outcomesOf, placesOf, type StoredEnd } from "./outcomes.ts";

/** The items that earlier turns have ended, by their name. */
export type ItemRows = ReadonlyMap<string, readonly StepOutput[]>;

/** What decisions read, with the items of steps over lists as far as they were needed. */
export interface EachDeciding extends Deciding {
  readonly items?: ItemRows | undefined;
}

/**
 * Runs the code of choices, lists the items of steps, and makes the results of those whose items
 * have ended. Throws {@linkcode MissingOutputs}, with the name of the items where they are missing.
 */
export function deciderOf(deciding: EachDeciding): Decide {
  const choose = decider(deciding);
  return (one, ended, end) => {
    const item = deciding.workflow.steps.get(one.step)?.item;
    if (item === undefined) return choose(one, ended);
    return end === undefined ? list(deciding, one, item, ended) : finish(deciding, one, ended, end);
  };
}

function list(
  { workflow, input, control, outputs, deaths }: EachDeciding,
  { step: name }: Activation,
  item: ItemDefinition,
  endedNow: ReadonlyMap<string, StepEnding>,
): ReturnType<Decide> {
  const ended = (need: string) => endedNow.get(need) ?? outputs.latest(control, need);
  const missing = item.needs.map((need) => need.name).filter((need) => !ended(need));
  if (missing.length > 0) throw new MissingOutputs(missing);
  if (deaths >= mostDeaths) {
    throw new Error(
      `Cannot list the items of each "${name}": the process died each of the ${deaths} times that it tried to`,
    );
  }
  const { length } = listOf(workflow, name, { input, steps: readNeeds(item.needs, ended) });
  return { event: ITEMS, output: length, metadata: undefined };
}

/** The result of a step over a list. */
function finish(
  deciding: EachDeciding,
  one: Activation,
  ended: ReadonlyMap<string, StepEnding>,
  { event, counts }: EachEnd,
): Omit<LocalResult, "step" | "activation"> {
  const { workflow, control } = deciding;
  const { keyOf: since } = control.active.get(one.step) ?? {};
  const end: StoredEnd = { items: counts.total, failed: counts.failed, ...(since && { since }) };
  const result = {
    ...one,
    waits: false,
    event,
    metadata: undefined,
    attempt: 1,
    duration: undefined,
  };
  if (event === "finished") {
    const output = isReadAtOnce(workflow, one.step)
      ? outcomesOf(one, end, rowsOf(deciding, one, ended, counts.total))
      : undefined;
    const text = JSON.stringify(end);
    return {
      event,
      output,
      metadata: undefined,
      result: { ...result, output: text, errors: undefined },
    };
  }
  const rows = rowsOf(deciding, one, ended, counts.total);
  const { places } = placesOf({ ...one, total: counts.total }, since ?? one.activation, rows);
  const failed = rows.filter((row) =>
    row.event === failedEvent && eachAt(row).activation === one.activation
  );
  const index = ({ activation }: StepOutput) => places[placeOf({ activation })]!;
  const [first] = failed.sort((a, b) => index(a) - index(b));
  const failure = first?.output as StepFailure;
  const output = { ...failure, index: index(first!), failed: counts.failed };
  const { attempts, ...rest } = failure;
  return {
    event,
    output,
    metadata: undefined,
    failure: rest,
    attempt: attempts,
    result: {
      ...result,
      attempt: attempts,
      output: event === failedEvent ? JSON.stringify(output) : undefined,
      errors: JSON.stringify([rest]),
    },
  };
}

/** Whether something reads the outcomes in the turn in which the step finishes. */
function isReadAtOnce({ steps }: Workflow, name: string): boolean {
  return [...steps.values()].some(({ kind, needs, deadline }) =>
    needs.some((need) => need.name === name) && (kind !== "step" || typeof deadline === "function")
  );
}

/** The items that have ended, in this turn too. */
function rowsOf(
  { items, control }: EachDeciding,
  one: Activation,
  ended: ReadonlyMap<string, StepEnding>,
  total: number,
): StepOutput[] {
  const name = itemsOf(one.step);
  const isNew = total === 0 && control.active.get(one.step)?.keyOf === undefined;
  const earlier = items?.get(name) ?? (isNew ? [] : undefined);
  if (earlier === undefined) throw new MissingOutputs([name]);
  const now = [...ended.values()].filter(({ step }) => isItem(step) && step === name)
    .map((ending) => ({ ...ending, output: outputOf(ending), causes: [] }));
  return [...earlier, ...now];
}

/** The output of a result of this turn, which is not parsed where it has ended here. */
function outputOf(ending: StepEnding): unknown {
  if (!("result" in ending)) return ending.output;
  const { output } = (ending as LocalResult).result;
  return output === undefined ? undefined : decode(output);
}
