-- An instance that undoes what it has done is open: its key is taken. An undone one is final.
alter table :schema.workflow_instances
  drop constraint workflow_instances_status_check,
  add constraint workflow_instances_status_check
    check (status in ('pending', 'running', 'waiting', 'undoing', 'completed', 'failed', 'cancelled', 'undone'));

-- Processes of the previous version name three statuses in their insert. PostgreSQL finds this index for them too,
-- because its predicate follows from theirs.
drop index :schema.workflow_instances_unique_key;
create unique index workflow_instances_unique_key on :schema.workflow_instances (unique_key)
  where status in ('pending', 'running', 'waiting', 'undoing');

-- A delivery whose statement has waited for a move of its instance to another version has seen the former version.
create or replace function :schema.require_instance() returns trigger language plpgsql set search_path = :schema, pg_temp as $$
begin
  if new.delivery_id is null then
    perform from workflow_instances where id = new.instance_id for key share;
  else
    -- The delivery already holds its advisory lock.
    perform from workflow_instances where id = new.instance_id and workflow_version = new.workflow_version;
  end if;
  if not found then
    raise exception 'Cannot insert a result of step "%": there is no instance "%"', new.step_ref, new.instance_id
      using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

-- The step of another instance that has started this one as its child.
alter table :schema.workflow_instances add column parent_id uuid, add column parent_step text;
create index workflow_instances_parent on :schema.workflow_instances (parent_id) where parent_id is not null;

-- A parent learns that a child was deleted that it waits for.
create or replace function :schema.delete_with_instances() returns trigger language plpgsql set search_path = :schema, pg_temp as $$
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
  insert into jobs (instance_id, kind, state, queue, workflow, workflow_version, step, activation, args)
  select parent.id, 'resume', 'available', gone.control -> 'parent' ->> 'queue', parent.workflow, parent.workflow_version,
    gone.parent_step, (gone.control -> 'parent' ->> 'activation')::int,
    jsonb_build_object('delivery', gone.id, 'child', gone.id)
  from gone
  join workflow_instances as parent on parent.id = gone.parent_id
  where parent.finished_at is null;
  return null;
end $$;
