import type { Turn } from "../../backend/turn.ts";
import { mostItems } from "../../core/each/items.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { activeStatuses, instanceStatuses, isFinal } from "../../core/engine/instance.ts";
import type { Column } from "./statement.ts";

/**
 * A value of the turn at this index of its batch. Joining by a number takes half the time of
 * joining by an id.
 */
export interface OfTurn<T> {
  readonly at: number;
  readonly row: T;
}

/** Collects values from the turns of a batch. */
export function each<T>(
  turns: readonly Turn[],
  rows: (turn: Turn) => readonly T[],
): OfTurn<T>[] {
  const all: OfTurn<T>[] = [];
  for (let at = 0; at < turns.length; at++) {
    for (const row of rows(turns[at]!)) all.push({ at, row });
  }
  return all;
}

/** The column that joins a value with its turn. */
export const at: Column<OfTurn<unknown>> = ["at", "int", (of) => of.at];

/** The result row of a statement that writes instances. */
export interface WrittenRow {
  readonly written: string | null;
  readonly at: string;
}

/**
 * The columns of {@linkcode WrittenRow}: the ids in a common table expression, and the time of the
 * write.
 */
export function written(of: string, time = "now()"): string {
  return `string_agg(${of}.id::text, ',') as written, ${epoch(time)} as at`;
}

/** Parses a {@linkcode WrittenRow}. */
export function writtenOf(row: WrittenRow | undefined): Map<string, Date> {
  const all = new Map<string, Date>();
  if (row?.written == null) return all;
  const at = date(row.at);
  for (const id of row.written.split(",")) all.set(id, at);
  return all;
}

/** Milliseconds since 1970, as text, so that the driver's time zone does not matter. */
export function epoch(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::text`;
}

/** Parses the result of {@linkcode epoch}. */
export function date(text: string): Date {
  return new Date(Math.round(Number(text)));
}

/**
 * Whether `job` is the executing row of a valid lease. The condition makes the planner find it by
 * its id. For a table it believes to be empty, the index of executing jobs has the same cost, and
 * the cached plan would then read all jobs of the process for each of them.
 */
export function held(process: string, token: string): string {
  return `(job.state, job.process_id, job.token) is not distinct from ('executing', ${process}, ${token})`;
}

/**
 * The activation of a step that is active, according to a control state. It may be lower than the
 * one that ran last: the undo of a later round comes before that of an earlier one.
 */
function activeActivation(control: string, step: string): string {
  return `coalesce(nullif(split_part(${control} -> 'active' ->> ${step}, '@', 2), '')::int, ${firstActivation})`;
}

/**
 * The activation that a delivery to a step is for, according to a control state: the active one, or
 * else the next one. `loops` are the steps that loops lead back to and that run the step again.
 */
export function awaitedActivation(control: string, step: string, loops: string): string {
  return `case when jsonb_exists(${control} -> 'active', ${step}) then ${
    activeActivation(control, step)
  } else greatest(coalesce((${control} -> 'activations' ->> ${step})::int, ${firstActivation}), ${firstActivation} +
      coalesce((${control} -> 'restarted' ->> ${step})::int, 0) + (
      select coalesce(sum((${control} -> 'rounds' -> head ->> 0)::int), 0)::int
      from unnest(${loops}) as head)) end`;
}

/** Whether an activation of a step is active, according to a control state. */
export function isActive(control: string, step: string, activation: string): string {
  return `(jsonb_exists(${control} -> 'active', ${step}) and ${
    activeActivation(control, step)
  } = ${activation})`;
}

/** The step whose items have this name; the step itself for other names. */
export function eachOf(step: string): string {
  return `regexp_replace(${step}, '\\[\\]$', '')`;
}

/** Whether a name is that of items whose activation has begun, according to a control state. */
export function hasBegun(control: string, items: string, activation: string): string {
  const list = eachOf(items);
  return `coalesce(right(${items}, 2) = '[]'
    and ${isActive(control, list, `((${activation} - 1) / ${mostItems} + 1)`)}
    and (${activation} - 1) % ${mostItems} < (${control} -> 'each' -> ${list} ->> 1)::int, false)`;
}

/** The key of an activation, as used in control states and in the causes of results. */
export function activationKey(step: string, activation: string): string {
  return `${step} || case when ${activation} = ${firstActivation} then '' else '#' || ${activation} end`;
}

/** The activation that a job is for. The first one is not stored in its row. */
export function jobActivation(job: string): string {
  return `coalesce(${job}.activation, ${firstActivation})`;
}

const quoted = (statuses: readonly string[]) => statuses.map((one) => `'${one}'`).join(", ");
const finals = quoted(instanceStatuses.filter(isFinal));
const active = quoted(activeStatuses);

/** Whether a status is final: the instance will not change again. */
export function isFinalStatus(status: string): string {
  return `${status} in (${finals})`;
}

/** Whether a status is active. The unique index of business keys lists the same statuses. */
export function isActiveStatus(status: string): string {
  return `${status} in (${active})`;
}

/** Whether a job still has something to do. */
export function isLive(job: string): string {
  return `${job}.state not in ('discarded', 'cancelled')`;
}

/** Whether a job of a step, not an advance, still has something to do. */
export function isLiveStep(job: string): string {
  return `${job}.kind <> 'advance' and ${isLive(job)}`;
}
