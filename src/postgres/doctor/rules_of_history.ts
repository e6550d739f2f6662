import { activationKey } from "../sql/fragments.ts";
import { final, namedStep, resultIsActive, type Rule, stepOfResult } from "./rule.ts";

/** Rules about agreement between the history and the state of an instance. */
export const telling: readonly Rule[] = [
  {
    name: "double-result",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}, count(*) as note
      from ${t.results} r
      group by r.instance_id, r.step_ref, r.activation, r.waits
      having count(*) > 1`,
    sentence: (f) => `Step ${namedStep(f)} of instance ${f.instance} has ${f.note} results`,
  },
  {
    name: "applied-active",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}
      from ${t.results} r
      join ${t.instances} i on i.id = r.instance_id
      where r.applied_revision is not null and not r.waits and ${resultIsActive}`,
    sentence: (f) =>
      `Step ${namedStep(f)} of instance ${f.instance} is active, but its result was applied`,
  },
  {
    name: "revision",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}, r.applied_revision as note
      from ${t.results} r
      join ${t.instances} i on i.id = r.instance_id
      where r.applied_revision > i.revision or (r.applied_revision is not null and not r.processed)`,
    sentence: (f) =>
      `The result of step ${
        namedStep(f)
      } of instance ${f.instance} is marked as applied by revision ${f.note}, which did not apply it`,
  },
  {
    name: "cause",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}, cause as note
      from ${t.results} r
      cross join string_to_table(r.causes, ',') as cause
      left join ${t.results} c on c.instance_id = r.instance_id and not c.waits
        and ${activationKey("c.step_ref", "c.activation")} = cause
      where r.applied_revision is not null
        and (c.applied_revision is null or c.applied_revision > r.applied_revision)`,
    sentence: (f) =>
      `The result of step ${
        namedStep(f)
      } of instance ${f.instance} was applied before "${f.note}", which caused it`,
  },
  {
    name: "orphan-result",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}
      from ${t.results} r
      where not exists (select from ${t.instances} i where i.id = r.instance_id)`,
    sentence: (f) =>
      `The result of step ${namedStep(f)} belongs to instance ${f.instance}, which does not exist`,
  },
  {
    name: "status",
    sql: (t) => `
      select i.id as instance, i.status as note
      from ${t.instances} i
      where (${final} <> (i.control -> 'active' = '{}') and i.status <> 'undoing' and i.revision > 0) or ${final} <> (i.finished_at is not null)`,
    sentence: (f) =>
      `Instance ${f.instance} is ${f.note}, but its active steps or its end time contradict this`,
  },
  {
    name: "key",
    sql: (t) => `
      select min(i.id::text) as instance, i.unique_key as note
      from ${t.instances} i
      where not ${final} and i.unique_key is not null
      group by i.unique_key
      having count(*) > 1`,
    sentence: (f) =>
      `Key "${f.note}" has more than one active instance. The first is ${f.instance}`,
  },
  {
    name: "index",
    sql: (t) => `
      select name as note
      from unnest(array['jobs_pkey', 'jobs_waiting_advance', 'processes_pkey', 'step_results_pkey',
        'workflow_instances_pkey', 'workflow_instances_unique_key']) as name
      where not exists (select from pg_index x join pg_class c on c.oid = x.indexrelid
        where c.relnamespace = '${
      t.schema.replaceAll("'", "''")
    }'::regnamespace and c.relname = name
          and x.indisunique and x.indisvalid)`,
    sentence: (f) => `The unique index "${f.note}" is missing or invalid. Create it again`,
  },
];
