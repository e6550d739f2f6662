import type { Sql } from "postgres";
import { isBroken, lengthOf } from "./lists.ts";

/** What must hold of the steps over lists: each answers with the rows that break it. */
export const listRules: Readonly<Record<string, string>> = {
  "what an item wrote through tx is there exactly once, with its result": `
    select instance, step, coalesce(e.count, 0) as effects, coalesce(e.places, 0) as places,
      coalesce(r.count, 0) as results
    from (select instance, step, count(*), count(distinct place) as places
      from item_effects group by 1, 2) e
    full join (
      select instance_id as instance, step_ref as step, count(*) from hephaestus.step_results
      where step_ref like '%[]' and event = 'ok' group by 1, 2) r using (instance, step)
    where e.count is distinct from r.count or e.places is distinct from r.count`,
  "no result of an item is left unread": `
    select r.instance_id, r.step_ref, r.activation, r.event from hephaestus.step_results r
    where r.step_ref like '%[]' and not r.processed`,
  "a list that has ended is kept by no control": `
    select id, control from hephaestus.workflow_instances
    where status = 'completed' and jsonb_exists(control, 'each')`,
};

/** The completed instances whose outcomes are others than those of their lists, in order. */
export async function brokenLists(sql: Sql): Promise<readonly string[]> {
  const rows = await sql`
    select i.id, r.context_updates as said from hephaestus.workflow_instances i
    left join hephaestus.step_results r on r.instance_id = i.id and r.step_ref = 'summary'
    where i.workflow = 'batch' and i.status = 'completed'`;
  const wrong = rows.filter(({ id, said }) => JSON.stringify(said) !== expected(id))
    .map(({ id, said }) => `${id}: ${JSON.stringify(said)} and not ${expected(id)}`);
  if (wrong.length === 0) return [];
  const rule = "a list that has finished has all outcomes in the order of its items";
  return [[`Broken: ${rule} (${wrong.length})`, ...wrong.slice(0, 3)].join("\n  ")];
}

function expected(id: string): string {
  const places = Array.from({ length: lengthOf({ id }) }, (_, place) => place);
  return JSON.stringify([places.map((place) => isBroken({ id, place }) ? -1 : place), places]);
}
