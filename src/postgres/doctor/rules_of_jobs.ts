import { startStep } from "../../backend/from_sql.ts";
import { deadlineStep } from "../../backend/job.ts";
import { jobActivation } from "../sql/fragments.ts";
import {
  advanceOf,
  final,
  jobIsActive,
  live,
  namedStep,
  ofStep,
  resultIsActive,
  resultIsEarly,
  resultIsOpen,
  type Rule,
  stepOfJob,
  stepOfResult,
} from "./rule.ts";

/** Rules about the jobs that drive an instance, and about leftovers. */
export const driving: readonly Rule[] = [
  {
    name: "undriven",
    sql: (t) => `
      select i.id as instance, i.status as note,
        (select string_agg(name, ', ' order by name) from jsonb_object_keys(i.control -> 'active') as name) as step
      from ${t.instances} i
      where i.status in ('pending', 'running')
        and i.revision > 0
        and not exists (select from ${t.jobs} j
          where j.instance_id = i.id and j.kind = 'execute' and ${live} and ${jobIsActive})
        and not exists (select from ${t.results} r
          where r.instance_id = i.id and not r.processed and r.workflow_version = i.workflow_version
            and ${resultIsOpen})`,
    sentence: (f) => `Instance ${f.instance} is ${f.note}, but no job runs any of its steps`,
  },
  {
    name: "not-begun",
    sql: (t) => `
      select i.id as instance
      from ${t.instances} i
      where i.revision = 0 and not ${final}
        and not exists (select from ${t.jobs} j
          where j.instance_id = i.id and j.step = '${startStep}' and ${live})`,
    sentence: (f) => `SQL has started instance ${f.instance}, but no job begins it`,
  },
  {
    name: "stuck-items",
    sql: (t) => `
      select i.id as instance, list.step, (counts ->> 1)::int - (counts ->> 2)::int as note
      from ${t.instances} i
      cross join jsonb_each(i.control -> 'each') as list (step, counts)
      where (counts ->> 1)::int - (counts ->> 2)::int > (select count(*) from ${t.jobs} j
          where j.instance_id = i.id and j.step = list.step || '[]' and ${live})
        + (select count(*) from ${t.results} r
          where r.instance_id = i.id and r.step_ref = list.step || '[]' and not r.processed)`,
    sentence: (f) =>
      `${f.note} items of each "${f.step}" of instance ${f.instance} have begun and not ended, but fewer have jobs`,
  },
  {
    name: "undriven-undo",
    sql: (t) => `
      select i.id as instance
      from ${t.instances} i
      where i.status = 'undoing' and i.control -> 'later' is null
        and not exists (select from ${t.jobs} j
          where j.instance_id = i.id and j.kind = 'execute' and ${live} and ${jobIsActive})
        and not exists (select from ${t.results} r
          where r.instance_id = i.id and not r.processed and r.workflow_version = i.workflow_version
            and ${resultIsActive})
        and not exists (${advanceOf(t, "i.id")})`,
    sentence: (f) =>
      `Instance ${f.instance} undoes what its steps have done, but no job goes on with it`,
  },
  {
    name: "untold",
    sql: (t) => `
      select r.instance_id as instance, r.step_ref as step, r.context_updates ->> 'child' as note
      from ${t.results} r
      join ${t.instances} i on i.id = r.instance_id
      where r.waits and jsonb_exists(r.context_updates, 'child') and ${resultIsActive}
        and not exists (select from ${t.instances} c
          where c.id = (r.context_updates ->> 'child')::uuid and c.finished_at is null)
        and not exists (select from ${t.results} e
          where (e.instance_id, e.step_ref, e.activation, e.waits) = (r.instance_id, r.step_ref, r.activation, false))
        and not exists (select from ${t.jobs} j
          where j.instance_id = r.instance_id and j.step = r.step_ref and ${live}
            and ${jobActivation("j")} = r.activation)`,
    sentence: (f) =>
      `Step "${f.step}" of instance ${f.instance} waits for its child ${f.note}, which has ended or is gone`,
  },
  {
    name: "unread",
    sql: (t) => `
      select r.instance_id as instance, ${stepOfResult}
      from ${t.results} r
      join ${t.instances} i on i.id = r.instance_id
      where not r.processed and (i.revision > 0 or ${final})
        and not (${resultIsEarly} and not ${resultIsActive})
        and not exists (${advanceOf(t, "r.instance_id")})`,
    sentence: (f) =>
      `The result of step ${
        namedStep(f)
      } of instance ${f.instance} is unread, but no advance job will read it`,
  },
  {
    name: "final-job",
    sql: (t) => `
      select i.id as instance, j.id as job, ${stepOfJob}, i.status as note
      from ${t.jobs} j
      join ${t.instances} i on i.id = j.instance_id
      where ${final} and ${ofStep} and ${live} and j.step <> '${startStep}'`,
    sentence: (f) =>
      `Job ${f.job} of step ${namedStep(f)} still exists, but instance ${f.instance} is ${f.note}`,
  },
  {
    name: "inactive-job",
    sql: (t) => `
      select i.id as instance, j.id as job, ${stepOfJob}
      from ${t.jobs} j
      join ${t.instances} i on i.id = j.instance_id
      where not ${final} and ${ofStep} and ${live} and not ${jobIsActive}
        and j.step not in ('${deadlineStep}', '${startStep}')`,
    sentence: (f) =>
      `Job ${f.job} is for step ${namedStep(f)} of instance ${f.instance}, which is not active`,
  },
  {
    name: "double-job",
    sql: (t) => `
      select j.instance_id as instance, ${stepOfJob}, count(*) as note
      from ${t.jobs} j
      where ${ofStep} and ${live}
      group by j.instance_id, j.step, j.activation, j.kind
      having count(*) > 1`,
    sentence: (f) => `Step ${namedStep(f)} of instance ${f.instance} has ${f.note} jobs at once`,
  },
  {
    name: "double-advance",
    sql: (t) => `
      select j.unique_key as instance, count(*) as note
      from ${t.jobs} j
      where j.kind = 'advance' and j.state = 'available' and j.unique_key is not null
      group by j.unique_key
      having count(*) > 1`,
    sentence: (f) => `Instance ${f.instance} has ${f.note} waiting advance jobs at once`,
  },
  {
    name: "version",
    sql: (t) => `
      select j.instance_id as instance, j.id as job, j.step, j.workflow_version as note
      from ${t.jobs} j
      join ${t.instances} i on i.id = j.instance_id
      where not ${final} and ${live} and j.workflow_version <> i.workflow_version`,
    sentence: (f) =>
      `Job ${f.job} is for version ${f.note}, but instance ${f.instance} has another version`,
  },
  {
    name: "orphan-job",
    sql: (t) => `
      select j.id as job, j.instance_id as instance
      from ${t.jobs} j
      where not exists (select from ${t.instances} i where i.id = j.instance_id)`,
    sentence: (f) => `Job ${f.job} belongs to instance ${f.instance}, which does not exist`,
  },
];

/** Rules about the ownership of jobs. */
export const owning: readonly Rule[] = [
  {
    name: "unowned",
    sql: (t) => `
      select j.id as job, j.instance_id as instance, j.process_id as process, j.step
      from ${t.jobs} j
      where j.state = 'executing' and not exists (select from ${t.processes} p where p.id = j.process_id)`,
    sentence: (f) =>
      `Job ${f.job} is executing, but its process ${f.process ?? ""} does not exist`
        .replace("  ", " "),
  },
  {
    name: "owned",
    sql: (t) => `
      select j.id as job, j.instance_id as instance, j.process_id as process, j.step, j.state as note
      from ${t.jobs} j
      where j.state <> 'executing' and j.process_id is not null`,
    sentence: (f) => `Job ${f.job} is ${f.note}, but process ${f.process} owns it`,
  },
  {
    name: "silent",
    sql: (t) => `
      select p.id as process, count(*) as note
      from ${t.processes} p
      join ${t.jobs} j on j.process_id = p.id and j.state = 'executing'
      where p.expires_at < now() - interval '1 minute'
      group by p.id`,
    sentence: (f) =>
      `Process ${f.process} is over a minute past its lease, but no other process has taken over its jobs: ${f.note}`,
  },
  {
    name: "discarded",
    sql: (t) => `
      select j.id as job, ${stepOfJob}, i.id as instance, i.status as note
      from ${t.jobs} j
      join ${t.instances} i on i.id = j.instance_id
      where j.state = 'discarded' and not ${final} and ${ofStep}`,
    sentence: (f) =>
      `Job ${f.job} of step ${namedStep(f)} was discarded, but instance ${f.instance} is ${f.note}`,
  },
];
