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
