-- Which work a process can take: null where a process does not say. A workflow reads name@version.
alter table :schema.processes
  add column queues text[],
  add column serves text[];

-- How often the process died that ran it. Died twice in company, it runs alone: rare, and found by an index of its own.
alter table :schema.jobs add column deaths smallint not null default 0;
create index jobs_alone on :schema.jobs (queue, priority, scheduled_at, id)
  where state = 'available' and deaths >= 2;

-- The graphs of versions. An instance goes on with the graph that it began with, and with no other.
alter table :schema.workflow_instances add column graph bigint;

create table :schema.workflow_graphs (
  workflow         text        not null,
  workflow_version int         not null,
  -- A hash of all that follows and of the two columns above.
  fingerprint      bigint      not null,
  inserted_at      timestamptz not null default now(),
  graph            jsonb       not null,
  primary key (workflow, workflow_version, fingerprint)
);

comment on table :schema.workflow_graphs is
  'Each graph that a process has had for a version of a workflow: what differs can be said.';

-- Its predicate names a column that changes once: steps pay nothing for it.
create index workflow_instances_open_graph on :schema.workflow_instances (graph) where finished_at is null;

-- The newest instance is the one that was started last by the database's clock: ids are made by the clocks of callers.
-- Ids break ties and are not in the indexes: an empty table would be looked up by id in them, and that plan stays.
drop index :schema.workflow_instances_key;
drop index :schema.workflow_instances_status;
create index workflow_instances_key on :schema.workflow_instances (key, inserted_at);
create index workflow_instances_status on :schema.workflow_instances (workflow, status, inserted_at);

-- Results and jobs go with their instance, whoever deletes it. What older versions have left behind goes first.
delete from :schema.step_results as result
where not exists (select from :schema.workflow_instances as instance where instance.id = result.instance_id);
delete from :schema.jobs as job
where not exists (select from :schema.workflow_instances as instance where instance.id = job.instance_id);

-- In read committed each statement has a snapshot of its own, later than the locks of those before it. The first one waits
-- for results that are being written, for each holds the row of its job; the later ones see them and the advances that they
-- woke. So a result needs no lock of its instance. An advance that waits comes last: a result may be about to lock it.
-- A delivery has no job: it holds a shared advisory lock instead, which no lock of the row by others makes wait. Only an
-- open instance takes deliveries, so that deleting many that have ended needs no lock for each.
-- The schema stands outside of the bodies: a name that holds $$ would end them.
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
    -- It holds its lock already.
    perform from workflow_instances where id = new.instance_id;
  end if;
  if not found then
    raise exception 'Cannot insert a result of step "%": there is no instance "%"', new.step_ref, new.instance_id
      using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

-- The engine writes a result under the lease of a job or the lock of an instance: its sessions need no second look, but for
-- deliveries, whose statement may have a snapshot that is older than the lock it has waited for.
-- After the insert, because a start writes an instance and its results in one statement.
create trigger require_instance
  after insert on :schema.step_results
  for each row when (current_setting('hephaestus.writer', true) is distinct from 'engine' or new.delivery_id is not null)
  execute function :schema.require_instance();

-- Finds what has ended long ago, for whoever deletes it. An open instance is not in it.
create index workflow_instances_finished on :schema.workflow_instances (finished_at) where finished_at is not null;

-- Which running of its step a job is for; null is the first one, and takes no room.
alter table :schema.jobs add column activation int;

-- That a step waits is a fact of its own: its row stands beside that of the delivery which ends the wait.
alter table :schema.step_results add column waits boolean not null default false;
update :schema.step_results set waits = true, activation = -activation where activation < 0;
alter table :schema.step_results
  drop constraint step_results_pkey,
  add primary key (instance_id, step_ref, activation, waits);

-- Processes of the version before go on until they are replaced: they say that a step waits by a negative activation.
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
