import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";

/** What must never be found in a database at rest: each answers with the rows that break a rule. */
const rules = {
  "an instance that is not final waits for something": `
    select i.id from hephaestus.workflow_instances i
    where i.status in ('pending', 'running', 'undoing') and not exists (
      select from hephaestus.jobs j where j.instance_id = i.id and j.state not in ('discarded', 'cancelled'))`,
  "an unread result has an advance that comes": `
    select r.instance_id from hephaestus.step_results r
    join hephaestus.workflow_instances i on i.id = r.instance_id
    where not r.processed and not coalesce(jsonb_exists(i.control -> 'early', r.step_ref), false) and not exists (
      select from hephaestus.jobs j
      where j.instance_id = i.id and j.kind = 'advance' and j.state not in ('discarded', 'cancelled'))`,
  "a final instance has no live job and no unread result": `
    select i.id from hephaestus.workflow_instances i
    where i.status in ('completed', 'failed', 'cancelled', 'undone') and (
      exists (select from hephaestus.jobs j
        where j.instance_id = i.id and j.kind <> 'advance' and j.state not in ('discarded', 'cancelled'))
      or exists (select from hephaestus.step_results r where r.instance_id = i.id and not r.processed
        and not exists (select from hephaestus.jobs j
          where j.instance_id = i.id and j.kind = 'advance' and j.state not in ('discarded', 'cancelled'))))`,
  "a discarded job has failed its instance": `
    select j.id from hephaestus.jobs j
    join hephaestus.workflow_instances i on i.id = j.instance_id
    where j.state = 'discarded' and i.status not in ('completed', 'failed', 'cancelled', 'undone')`,
  "a key has one active instance": `
    select unique_key from hephaestus.workflow_instances
    where status in ('pending', 'running', 'waiting', 'undoing') and unique_key is not null
    group by unique_key having count(*) > 1`,
};

/** Fails with the name of the rule that the database breaks. */
export async function assertSound(sql: Sql): Promise<void> {
  for (const [rule, query] of Object.entries(rules)) {
    assertEquals(await sql.unsafe(query).then((rows) => [...rows]), [], rule);
  }
}
