-- Which work a process can take; null if a process has not set it. A workflow is written as name@version.
alter table :schema.processes
  add column queues text[],
  add column serves text[];

-- How often a process died while it ran this job. After two deaths together with other jobs it runs alone. Such jobs
-- are rare and have their own index.
alter table :schema.jobs add column deaths smallint not null default 0;
create index jobs_alone on :schema.jobs (queue, priority, scheduled_at, id)
  where state = 'available' and deaths >= 2;

-- The graphs of versions. An instance continues only with the graph that it was started with.
alter table :schema.workflow_instances add column graph bigint;

create table :schema.workflow_graphs (
  workflow         text        not null,
  workflow_version int         not null,
  -- A hash of all following columns and of the two columns above.
  fingerprint      bigint      not null,
  inserted_at      timestamptz not null default now(),
  graph            jsonb       not null,
  primary key (workflow, workflow_version, fingerprint)
);

comment on table :schema.workflow_graphs is
  'Each graph that a process has had for a version of a workflow: what differs can be said.';

-- The column in the predicate changes only once, so steps do not pay for this index.
create index workflow_instances_open_graph on :schema.workflow_instances (graph) where finished_at is null;

-- The newest instance is the one that was started last by the database's clock, because ids come from the clocks of
-- callers. Ids break ties but are not in the indexes. Otherwise a plan made for an empty table would look up ids in
-- these indexes, and that plan is cached.
drop index :schema.workflow_instances_key;
drop index :schema.workflow_instances_status;
create index workflow_instances_key on :schema.workflow_instances (key, inserted_at);
create index workflow_instances_status on :schema.workflow_instances (workflow, status, inserted_at);

-- Results and jobs are deleted with their instance, for every role. First delete what older versions have left behind.
delete from :schema.step_results as result
where not exists (select from :schema.workflow_instances as instance where instance.id = result.instance_id);
delete from :schema.jobs as job
where not exists (select from :schema.workflow_instances as instance where instance.id = job.instance_id);

-- In read committed, each statement has its own snapshot, taken after the locks of the statements before it. The first
-- statement waits for results that are being written, because each of them holds the row of its job. The later
-- statements see these results and the advances that they woke. So a result needs no lock on its instance. A waiting
-- advance is deleted last, because a result may be about to lock it.
-- A delivery has no job. It holds a shared advisory lock instead, which is not blocked by other locks on the row. Only
-- open instances accept deliveries, so deleting many that have ended needs no lock for each.
-- The schema is named outside of the bodies, because a name that contains $$ would end them.
create function :schema.delete_with_instances() returns trigger language plpgsql set search_path = :schema, pg_temp as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Cannot delete a workflow instance at isolation level %: results that others write at the same time would stay',
      current_setting('transaction_isolation')
      using errcode = 'feature_not_supported', hint = 'Delete it in a transaction that is read committed.';
  end if;
  perform pg_advisory_xact_lock(1212502066, hashtext(id::text))
  from (select id from gone where finished_at is null order by id) as open;
  perform from jobs
  where instance_id in (select id from gone) and not (kind = 'advance' and state = 'available')
  order by id
  for update;
  delete from step_results where instance_id in (select id from gone);
  delete from jobs where instance_id in (select id from gone);
  return null;
end $$;

create trigger delete_with_instances
  after delete on :schema.workflow_instances
  referencing old table as gone
  for each statement execute function :schema.delete_with_instances();

create function :schema.require_instance() returns trigger language plpgsql set search_path = :schema, pg_temp as $$
begin
  if new.delivery_id is null then
    perform from workflow_instances where id = new.instance_id for key share;
  else
    -- The delivery already holds its advisory lock.
    perform from workflow_instances where id = new.instance_id;
  end if;
  if not found then
    raise exception 'Cannot insert a result of step "%": there is no instance "%"', new.step_ref, new.instance_id
      using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

-- The engine writes a result under the lease of a job or the lock of an instance, so its sessions need no second check.
-- Deliveries do, because the snapshot of their statement may be older than the lock it has waited for. The check runs
-- after the insert, because a start writes an instance and its results in one statement.
create trigger require_instance
  after insert on :schema.step_results
  for each row when (current_setting('hephaestus.writer', true) is distinct from 'engine' or new.delivery_id is not null)
  execute function :schema.require_instance();

-- Finds instances that ended long ago, in order to delete them. Open instances are not in it.
create index workflow_instances_finished on :schema.workflow_instances (finished_at) where finished_at is not null;

-- The activation of its step that a job is for. Null is the first one, which takes no space.
alter table :schema.jobs add column activation int;

-- The start of a wait is recorded separately: its row exists beside the row of the delivery that ends the wait.
alter table :schema.step_results add column waits boolean not null default false;
update :schema.step_results set waits = true, activation = -activation where activation < 0;
alter table :schema.step_results
  drop constraint step_results_pkey,
  add primary key (instance_id, step_ref, activation, waits);

-- Processes of the previous version continue until they are replaced. They record a wait with a negative activation.
create function :schema.say_waits() returns trigger language plpgsql as $$
begin
  new.activation := -new.activation;
  new.waits := true;
  return new;
end $$;

create trigger say_waits
  before insert on :schema.step_results
  for each row when (new.activation < 0)
  execute function :schema.say_waits();
