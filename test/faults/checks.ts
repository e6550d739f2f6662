import { readFileSync } from "node:fs";
import type { Sql } from "postgres";
import type { Told } from "./calls.ts";
import { failingEarly, flowFailing, flowRunners, flowWriters } from "./flow.ts";
import { brokenFlows } from "./flow_checks.ts";
import { brokenLists, listRules } from "./list_checks.ts";
import { doomedAttempts, patience } from "./steps.ts";
import { failing, lengths, runners, writers } from "./workflows.ts";

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(", ");
const allWriters = [...writers, ...flowWriters];
const allRunners = [...runners, ...flowWriters, ...flowRunners];
const allFailing = [...failing, ...flowFailing];
const final = `status in ('completed', 'failed', 'cancelled', 'undone')`;

/** What must hold once the world is quiet: each answers with the rows that break it. */
const rules: Readonly<Record<string, string>> = {
  "every instance is settled": `
    select id, workflow, key, status, control from hephaestus.workflow_instances where not ${final}`,
  "an instance ends as its workflow does": `
    select id, workflow, key, status, error from hephaestus.workflow_instances i
    where ${final} and not (
      status = 'cancelled' and exists (select from told where told.instance in (i.id, i.parent_id) and what = 'maybe cancelled')
      or status = any(case
        when workflow in ('doomed', 'hostile', 'hire', 'loan') then '{failed}'::text[]
        when workflow = 'trip' then '{undone}' when workflow = 'tour' then '{completed,undone}'
        else '{completed}' end))`,
  "a deadline is the reason why an instance fails that has one": `
    select id, status, error from hephaestus.workflow_instances
    where workflow = 'hire' and status = 'failed' and error ->> 'code' is distinct from 'DEADLINE'`,
  "what was done is undone once, and after what it has caused": `
    select i.id, i.status, r.step_ref, u.event, u.applied_revision, later.step_ref as caused
    from hephaestus.workflow_instances i
    join hephaestus.step_results r on r.instance_id = i.id
      and r.step_ref in ('book', 'car', 'room') and r.event = 'ok' and r.applied_revision is not null
    left join hephaestus.step_results u on u.instance_id = i.id and u.step_ref = '~' || r.step_ref
    left join hephaestus.step_results later on later.instance_id = i.id and later.applied_revision >= u.applied_revision
      and later.step_ref = case r.step_ref when 'book' then '~car' when 'car' then '~room' end
    where i.workflow = 'trip' and (u.event is distinct from 'undone' or later.step_ref is not null)`,
  "what was not done is not undone": `
    select u.instance_id, u.step_ref from hephaestus.step_results u
    where u.step_ref like '~%' and not exists (
      select from hephaestus.step_results r
      where r.instance_id = u.instance_id and '~' || r.step_ref = u.step_ref and r.event = 'ok')`,
  "a completed instance has each step in its story once, in each round": `
    select i.id, i.workflow, i.key, count(r.step_ref)
    from hephaestus.workflow_instances i
    left join hephaestus.step_results r
      on r.instance_id = i.id and not r.waits and r.applied_revision is not null
    where i.status = 'completed'
    group by i.id
    having count(r.step_ref) <> case i.workflow ${
    Object.entries(lengths).map(([name, length]) => `when '${name}' then ${length}`).join(" ")
  } end or count(r.step_ref) <> count(distinct (r.step_ref, r.activation))`,
  "a race has one winner, and the other branch is not recorded": `
    select i.id, array_agg(r.step_ref || ' ' || r.event || ' ' || r.processed) as story
    from hephaestus.workflow_instances i
    join hephaestus.step_results r on r.instance_id = i.id and r.applied_revision is not null
    where i.workflow = 'races' and i.status = 'completed'
    group by i.id
    having count(*) filter (where r.step_ref in ('deal', 'miss') and r.event = 'ok') <> 1
      or count(*) filter (where r.step_ref in ('rival', 'remind') and r.event = 'ok') <> 1`,
  "a child is there once for each step that starts one, and has ended as its parent knows": `
    select p.id, p.status, array_agg(c.status) as children from hephaestus.workflow_instances p
    left join hephaestus.workflow_instances c on c.parent_id = p.id
    where p.workflow = 'family'
    group by p.id
    having count(c.id) > 1 or p.status = 'completed' and min(c.status) is distinct from 'completed'`,
  "a result is there once": `
    select instance_id, step_ref, activation, waits, count(*) from hephaestus.step_results
    group by 1, 2, 3, 4 having count(*) > 1`,
  "what a step wrote through tx is there exactly once, with its result": `
    select instance, step, activation, coalesce(e.count, 0) as effects, coalesce(r.count, 0) as results
    from (select instance, step, activation, count(*) from effects group by 1, 2, 3) e
    full join (
      select instance_id as instance, step_ref as step, activation, count(*) from hephaestus.step_results
      where step_ref in (${
    quoted(allWriters)
  }) and event in ('ok', 'undone') group by 1, 2, 3) r using (instance, step, activation)
    where e.count is distinct from 1 or r.count is distinct from 1`,
  "what a result and its effect say of the attempt is the same": `
    select e.instance, e.step, e.attempt, r.attempt as recorded from effects e
    join hephaestus.step_results r
      on r.instance_id = e.instance and r.step_ref = e.step and r.activation = e.activation
    where not r.waits and r.attempt <> e.attempt`,
  "a step that has ended has run, in the attempt that is recorded": `
    select r.instance_id, r.step_ref, r.attempt from hephaestus.step_results r
    where r.step_ref in (${quoted(allRunners)}) and r.event in ('ok', 'undone') and not exists (
      select from diary d
      where d.instance = r.instance_id and d.step = r.step_ref and d.attempt = r.attempt)`,
  "no step runs in more attempts than it has": `
    select * from diary where attempt > case when step in (${
    quoted(allFailing)
  }) then ${doomedAttempts} else ${patience} end or attempt < 1`,
  "a step that fails is given up in its last attempt": `
    select instance_id, step_ref, attempt from hephaestus.step_results
    where event in ('__failed__', 'failed')
      and (step_ref not in (${quoted(allFailing)}) or attempt <> ${doomedAttempts})
      and step_ref not in (${quoted(failingEarly)})`,
  "no job is left": `
    select * from hephaestus.jobs where state not in ('discarded', 'cancelled')`,
  "no session is idle in a transaction": `
    select pid, application_name, state, query from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`,
  "what the application was told is true": `
    select told.instance, told.what, told.step, i.status, r.delivery_id
    from told
    left join hephaestus.workflow_instances i on i.id = told.instance
    left join hephaestus.step_results r
      on r.instance_id = told.instance and r.step_ref = told.step and not r.waits
    where i.id is null
      or (what = 'cancelled' and i.status <> 'cancelled')
      or (what = 'retried' and not exists (
        select from hephaestus.step_results r where r.instance_id = i.id and r.event = '__retried__'))
      or (what = 'delivered' and r.delivery_id is null)`,
};

/** One text for each rule that is broken, with the first rows that break it. */
export async function broken(sql: Sql, told: Told, diary: string): Promise<readonly string[]> {
  await write(sql, told, diary);
  const problems: string[] = [];
  for (const [rule, query] of Object.entries({ ...rules, ...listRules })) {
    const rows = await sql.unsafe(query);
    if (rows.length > 0) {
      problems.push(
        [`Broken: ${rule} (${rows.length})`, ...rows.slice(0, 5).map((row) => JSON.stringify(row))]
          .join("\n  "),
      );
    }
  }
  problems.push(...await brokenFlows(sql), ...await brokenLists(sql));
  return problems;
}

async function write(sql: Sql, told: Told, diary: string): Promise<void> {
  await sql`create table told (instance uuid, what text, step text)`;
  await sql`create table diary (instance uuid, step text, attempt int, activation int)`;
  const rows = [
    ...[...told.started].map((instance) => [instance, "started", null]),
    ...[...told.cancelled].map((instance) => [instance, "cancelled", null]),
    ...[...told.maybeCancelled].map((instance) => [instance, "maybe cancelled", null]),
    ...[...told.retried].map((instance) => [instance, "retried", null]),
    ...[...told.delivered].map((text) => {
      const [instance, step] = text.split(" ");
      return [instance, "delivered", step];
    }),
  ];
  await sql`insert into told select * from jsonb_to_recordset(${
    sql.json(rows.map(([instance, what, step]) => ({ instance, what, step })) as never)
  }) as t (instance uuid, what text, step text)`;
  const lines = readFileSync(diary, "utf8").trimEnd().split("\n").filter((line) => line !== "")
    .map((line) => line.split(" "))
    .map(([instance, step, attempt, activation]) => ({
      instance,
      step,
      attempt: Number(attempt),
      activation: Number(activation),
    }));
  await sql`insert into diary select * from jsonb_to_recordset(${
    sql.json(lines as never)
  }) as t (instance uuid, step text, attempt int, activation int)`;
}
