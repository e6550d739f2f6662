-- The previous version can neither begin what SQL has started nor check what it delivers, so this fails while there is
-- such an instance or such a job.
alter table :schema.workflow_instances add constraint begun check (revision > 0 or status = 'failed');
alter table :schema.workflow_instances drop constraint begun;
alter table :schema.jobs add constraint delivered check (step <> '!deliver' or state in ('discarded', 'cancelled'));
alter table :schema.jobs drop constraint delivered;

drop function :schema.start(text, text, jsonb, int, text[], jsonb);
drop function :schema.deliver(text, text, text, text, jsonb, int, jsonb);
drop function :schema.wake(text);
drop function :schema.business_key(text, text, text);
drop table :schema.workflow_versions;

-- The previous version knows neither status. It can neither continue nor show such an instance, so this fails while
-- there is one.
drop index :schema.workflow_instances_unique_key;
create unique index workflow_instances_unique_key on :schema.workflow_instances (unique_key)
  where status in ('pending', 'running', 'waiting');

alter table :schema.workflow_instances
  drop constraint workflow_instances_status_check,
  add constraint workflow_instances_status_check
    check (status in ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled'));

create or replace function :schema.require_instance() returns trigger language plpgsql set search_path = :schema, pg_temp as $$
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

-- Children go on; their parents wait for ever.
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
  return null;
end $$;

alter table :schema.workflow_instances drop column parent_id, drop column parent_step;
