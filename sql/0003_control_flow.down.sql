-- The previous version knows neither status. It can neither continue nor show such an instance, so this fails while
-- there is one.
drop index :schema.workflow_instances_unique_key;
create unique index workflow_instances_unique_key on :schema.workflow_instances (unique_key)
  where status in ('pending', 'running', 'waiting');

alter table :schema.workflow_instances
  drop constraint workflow_instances_status_check,
  add constraint workflow_instances_status_check
    check (status in ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled'));
