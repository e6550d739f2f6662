import type { Sql } from "postgres";
import { isUndo, undoOf } from "../../src/core/engine/activation.ts";
import { flows, outcomes, undoables } from "./flow.ts";

interface Row {
  readonly step: string;
  readonly activation: number;
  readonly event: string;
  readonly causes: readonly string[];
  readonly revision: number | undefined;
}

interface Story {
  readonly workflow: string;
  readonly status: string;
  readonly returned: readonly [string, string, number] | undefined;
  readonly rows: readonly Row[];
  /** What has left a line in the diary. */
  readonly ran: readonly { readonly step: string; readonly activation: number }[];
}

const keyOf = ({ step, activation }: { readonly step: string; readonly activation: number }) =>
  activation === 1 ? step : `${step}#${activation}`;

/** What must hold of the history of every instance of `--flow` that is settled. */
const rules: Readonly<Record<string, (story: Story) => readonly unknown[]>> = {
  "nothing is caused by a step that was dropped": ({ rows }) => {
    const dropped = new Set(rows.filter(({ event }) => event === "__dropped__").map(keyOf));
    return rows.filter(({ causes }) => causes.some((cause) => dropped.has(cause)));
  },

  "what has run is in the history, so no step of a dropped branch has begun": (story) => {
    const { status, rows, ran } = story;
    // What runs when an instance fails or is cancelled without undoing leaves no result.
    if (/failed|cancelled/.test(status) && !undoes(story)) return [];
    const retried = rows.some(({ event }) => event === "__retried__");
    return ran.filter(({ step, activation }) =>
      !rows.some((row) =>
        row.step === step && (row.activation === activation ||
          (retried && row.activation > activation))
      )
    );
  },

  "a step that can be undone is not cut off": ({ workflow, rows, ran }) => {
    const { graph } = flows[workflow as keyof typeof flows];
    // What would start in the turn that undoes does not begin.
    const leads = ({ step, event }: Row, to: string) =>
      graph.steps.get(step)?.moves.get(event)?.some((move) => move.to === to) === true;
    const hasBegun = ({ step, revision, activation }: Row) =>
      ran.some((one) => one.step === step && one.activation === activation) ||
      !rows.some((row) => row.revision === revision && leads(row, step));
    return rows.filter((row) =>
      undoables.includes(row.step) && row.event === "__dropped__" && hasBegun(row)
    );
  },

  "what was done is undone once, where the instance ends by undoing": (story) => {
    const undone = story.rows.filter(({ step }) => isUndo(step));
    if (!undoes(story)) return undone;
    const keys = undone.map(keyOf);
    const done = doneOf(story);
    return [
      ...undone.filter(({ event }) => event !== "undone"),
      ...keys.filter((key, at) => keys.indexOf(key) !== at),
      ...done.filter((row) => !keys.includes(undoKeyOf(row))),
      ...keys.filter((key) => !done.some((row) => undoKeyOf(row) === key)),
    ];
  },

  "what was done is undone after everything that it has caused": (story) => {
    const undos = new Map(
      story.rows.filter(({ step }) => isUndo(step)).map((row) => [keyOf(row), row.revision]),
    );
    const done = doneOf(story);
    const undoneAt = (row: Row) => undos.get(undoKeyOf(row)) ?? Infinity;
    if (undos.size === 0) return [];
    return done.flatMap((row) => {
      const caused = causedBy(row, story.rows);
      return done.filter((other) => caused.has(keyOf(other)) && undoneAt(other) >= undoneAt(row))
        .map((other) => [keyOf(row), keyOf(other)]);
    });
  },

  "what a completed instance returns is one of its outcomes, and has ended": (story) => {
    const { workflow, status, returned, rows } = story;
    const named = outcomes[workflow];
    if (named === undefined || status !== "completed") return [];
    const [outcome = "", step, activation] = returned ?? [];
    const row = rows.find((row) => row.step === step && row.activation === activation);
    return named[outcome] === step && row?.event === "ok" ? [] : [returned];
  },
};

/** Whether an instance undoes before it ends in this way. */
function undoes({ workflow, status }: Story): boolean {
  const { undoOn } = flows[workflow as keyof typeof flows];
  return status === "undone" || [...undoOn].some((end) => end === status);
}

/** The activations that have ended with an event that can be undone. */
function doneOf({ rows }: Story): readonly Row[] {
  return rows.filter(({ step, event, revision }) =>
    undoables.includes(step) && event === "ok" && revision !== undefined
  );
}

function undoKeyOf({ step, activation }: Row): string {
  return keyOf({ step: undoOf(step), activation });
}

/** The keys of all that an activation has caused, directly or not. */
function causedBy(row: Row, rows: readonly Row[]): ReadonlySet<string> {
  const caused = new Set<string>([keyOf(row)]);
  for (let before = 0; before < caused.size;) {
    before = caused.size;
    for (const each of rows) {
      if (each.causes.some((cause) => caused.has(cause))) caused.add(keyOf(each));
    }
  }
  caused.delete(keyOf(row));
  return caused;
}

/** One text for each rule that a history breaks, with the first instances that break it. */
export async function brokenFlows(sql: Sql): Promise<readonly string[]> {
  const stories = await storiesOf(sql);
  return Object.entries(rules).flatMap(([rule, breaks]) => {
    const found = [...stories].flatMap(([id, story]) => {
      const problems = breaks(story);
      return problems.length === 0 ? [] : [JSON.stringify({ id, problems, ...story })];
    });
    return found.length === 0
      ? []
      : [[`Broken: ${rule} (${found.length})`, ...found.slice(0, 3)].join("\n  ")];
  });
}

async function storiesOf(sql: Sql): Promise<ReadonlyMap<string, Story>> {
  const names = Object.keys(flows);
  const instances = await sql`
    select i.id, workflow, status, control -> 'returned' as returned,
      (select json_agg(json_build_object('step', step_ref, 'activation', activation, 'event', event,
          'causes', string_to_array(coalesce(causes, ''), ','), 'revision', applied_revision)
          order by applied_revision, inserted_at)
        from hephaestus.step_results r where r.instance_id = i.id and not waits) as rows,
      (select json_agg(distinct jsonb_build_object('step', step, 'activation', activation))
        from diary where diary.instance = i.id) as ran
    from hephaestus.workflow_instances i where workflow in ${sql(names)}`;
  return new Map(instances.map(({ id, workflow, status, returned, rows, ran }) => [id, {
    workflow,
    status,
    returned: returned ?? undefined,
    rows: (rows ?? []).map((row: Row & { readonly revision: number | null }) => ({
      ...row,
      revision: row.revision ?? undefined,
    })),
    ran: ran ?? [],
  }]));
}
