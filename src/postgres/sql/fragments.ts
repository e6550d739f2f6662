import { activeStatuses, instanceStatuses, isFinal } from "../../core/engine/instance.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import type { Turn } from "../../backend/turn.ts";
import type { Column } from "./statement.ts";

/**
 * Something of the turn that stands at this place in its batch: a number joins in half the time of
 * an id.
 */
export interface OfTurn<T> {
  readonly at: number;
  readonly row: T;
}

/** What the turns of a batch have of something. */
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

/** The column that joins it with its turn. */
export const at: Column<OfTurn<unknown>> = ["at", "int", (of) => of.at];

/** What a statement answers that writes instances. */
export interface WrittenRow {
  readonly written: string | null;
  readonly at: string;
}

/**
 * The columns of {@linkcode WrittenRow}: the ids that a common table expression holds, and the time
 * of the write.
 */
export function written(of: string, time = "now()"): string {
  return `string_agg(${of}.id::text, ',') as written, ${epoch(time)} as at`;
}

/** Reads them. */
export function writtenOf(row: WrittenRow | undefined): Map<string, Date> {
  const all = new Map<string, Date>();
  if (row?.written == null) return all;
  const at = date(row.at);
  for (const id of row.written.split(",")) all.set(id, at);
  return all;
}

/** Milliseconds since 1970, as text: no driver's idea of a time zone takes part. */
export function epoch(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::text`;
}

/** Reads what {@linkcode epoch} has selected. */
export function date(text: string): Date {
  return new Date(Math.round(Number(text)));
}

/**
 * Whether `job` is the executing row that a lease proves. Put so that its id alone finds it: to a
 * planner that believes the table to be empty, the index of executing jobs costs the same, and the
 * plan it keeps then reads all jobs of the process for each of them.
 */
export function held(process: string, token: string): string {
  return `(job.state, job.process_id, job.token) is not distinct from ('executing', ${process}, ${token})`;
}

/** The activation under which a step is active, or ran last, or will run first, by a control. */
export function activationOf(control: string, step: string): string {
  return `coalesce(nullif(split_part(${control} -> 'active' ->> ${step}, '@', 2), '')::int,
    (${control} -> 'activations' ->> ${step})::int, ${firstActivation})`;
}

/** Whether a running of a step is active, by a control. */
export function isActive(control: string, step: string, activation: string): string {
  return `(jsonb_exists(${control} -> 'active', ${step}) and ${
    activationOf(control, step)
  } = ${activation})`;
}

/** The key of an activation, as a control and the causes of results have it. */
export function activationKey(step: string, activation: string): string {
  return `${step} || case when ${activation} = ${firstActivation} then '' else '#' || ${activation} end`;
}

/** Which running of its step a job is for: that of the first takes no room in its row. */
export function jobActivation(job: string): string {
  return `coalesce(${job}.activation, ${firstActivation})`;
}

const quoted = (statuses: readonly string[]) => statuses.map((one) => `'${one}'`).join(", ");
const finals = quoted(instanceStatuses.filter(isFinal));
const active = quoted(activeStatuses);

/** Whether a status is final: nothing will change the instance again. */
export function isFinalStatus(status: string): string {
  return `${status} in (${finals})`;
}

/** Whether a status is active. The unique index of business keys has the same words. */
export function isActiveStatus(status: string): string {
  return `${status} in (${active})`;
}

/** Whether a job still has something to do. */
export function isLive(job: string): string {
  return `${job}.state not in ('discarded', 'cancelled')`;
}

/** Whether a job of a step, and no advance, still has something to do. */
export function isLiveStep(job: string): string {
  return `${job}.kind <> 'advance' and ${isLive(job)}`;
}
