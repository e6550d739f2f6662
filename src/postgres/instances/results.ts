import type { Recorded } from "../../backend/turn.ts";
import type { Column } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";

/** SQL expressions for the columns of new results. */
export interface ResultSource {
  readonly instance: string;
  readonly version: string;
  /** A list with the columns step, activation, event, output and metadata, the last two as text. */
  readonly of: string;
  /** Whether the list has the column `waits`, without those of attempts. */
  readonly waits?: boolean;
  /** Columns of its attempts if the list has them: waits, attempt, errors and duration. */
  readonly process?: string;
  /** The revision that has applied the result, if its transition is written with it. */
  readonly revision?: string;
  /** The time of that; the list must then include the causes. */
  readonly at?: string;
  readonly delivery?: string;
  /** The SQL after the column list. */
  readonly from: string;
}

/** Inserts results. The column names of the table appear only here. */
export function insertResults(t: Tables, source: ResultSource): string {
  const { instance, version, of, waits = false, process, revision, at, delivery, from } = source;
  const columns: readonly (readonly [name: string, value: string])[] = [
    ["instance_id", instance],
    ["step_ref", `${of}.step`],
    ["activation", `${of}.activation`],
    ["event", `${of}.event`],
    ["context_updates", `${of}.output::jsonb`],
    ["metadata_updates", `${of}.metadata::jsonb`],
    ["workflow_version", version],
    ...(waits ? [["waits", `coalesce(${of}.waits, false)`]] as const : []),
    ...(process === undefined ? [] : [
      ["waits", `coalesce(${of}.waits, false)`],
      ["attempt", `${of}.attempt`],
      ["errors", `${of}.errors::jsonb`],
      ["started_at", `now() - ${of}.duration * interval '1 millisecond'`],
      ["process_id", process],
    ] as const),
    ...(revision === undefined || at === undefined ? [] : [
      ["inserted_at", at],
      ["causes", `${of}.causes`],
      ["processed", "true"],
      ["applied_revision", revision],
    ] as const),
    ...(delivery === undefined ? [] : [["delivery_id", delivery]] as const),
  ];
  const [names, values] = [columns.map(([name]) => name), columns.map(([, value]) => value)];
  return `insert into ${t.results} (${names.join(", ")})
  select ${values.join(", ")}
  ${from}`;
}

/** The columns that results have in a list, written with the transitions that they cause. */
export const recordedColumns: readonly Column<{ readonly row: Recorded }>[] = [
  ["step", "text", ({ row: { result } }) => result.step],
  ["activation", "int", ({ row: { result } }) => result.activation],
  ["event", "text", ({ row: { result } }) => result.event],
  ["output", "text", ({ row: { result } }) => result.output],
  ["metadata", "text", ({ row: { result } }) => result.metadata, "rare"],
  ["causes", "text", ({ row }) => row.causes.join(",")],
  ["place", "int", (_, index) => index + 1],
];
