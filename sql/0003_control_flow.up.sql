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
