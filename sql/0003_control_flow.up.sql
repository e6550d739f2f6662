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
-- What the functions below must know of workflows. A worker writes it when it starts.
create table :schema.workflow_versions (
  workflow         text        not null,
  workflow_version int         not null,
  -- The name of the business key.
  key              text        not null,
  scope            text        not null check (scope in ('workflow', 'version', 'global', 'none')),
  -- The queue of the jobs that the functions insert.
  queue            text        not null,
  current          boolean     not null,
  announced_at     timestamptz not null default now(),
  primary key (workflow, workflow_version)
);

comment on table :schema.workflow_versions is
  'The versions of workflows that processes have had: what SQL must know to start and deliver.';

-- These functions run with the rights of their owner: a role that may execute them needs no right on the tables. Others
-- could put tables of their own in the way, so the search path is fixed.
create function :schema.business_key(action text, workflow text, given text) returns text
language plpgsql set search_path = :schema, pg_temp as $$
declare
  name text;
  bare text;
begin
  select v.key into name from workflow_versions as v where v.workflow = business_key.workflow limit 1;
  if not found then
    raise exception 'Cannot % workflow "%": no worker that has it has started on this database', action, workflow
      using errcode = 'undefined_object', hint = 'Start a worker with this workflow first, or correct the name.';
  end if;
  bare := case when starts_with(given, name || '::') then substr(given, length(name) + 3) else given end;
  if bare is null or bare !~ '^[^\u0001-\u001f\u007f-\u009f\u2028\u2029]{1,200}$' or strpos(bare, '::') > 0 then
    raise exception 'Cannot % workflow "%": % is no business key', action, workflow, coalesce('"' || left(bare, 200) || '"', 'null')
      using errcode = 'invalid_parameter_value', hint = 'A key is 1 to 200 printable characters without "::".';
  end if;
  return name || '::' || bare;
end $$;

create function :schema.wake(queue text) returns void
language plpgsql set search_path = :schema, pg_temp as $$
declare
  channel text := 'hephaestus:' || current_schema();
begin
  if octet_length(channel) > 63 then
    channel := 'hephaestus:' || left(encode(sha256(convert_to(current_schema(), 'UTF8')), 'hex'), 32);
  end if;
  perform pg_notify(channel, case when queue ~ '^[A-Za-z0-9_.~-]+$' then queue else '*' end);
end $$;

-- Starts an instance, unless one with this key is active. A worker checks the input: if it cannot be taken, the instance fails.
create function :schema.start(
  workflow text, key text, input jsonb default null, version int default null, tags text[] default '{}',
  metadata jsonb default '{}', out id uuid, out started boolean
) language plpgsql security definer set search_path = :schema, pg_temp as $$
declare
  full_key text := business_key('start', workflow, key);
  known record;
  unique_to text;
begin
  select v.* into known from workflow_versions as v
  where v.workflow = start.workflow and (start.version is null or v.workflow_version = start.version)
  order by v.current desc, v.announced_at desc, v.workflow_version desc
  limit 1;
  if not found then
    raise exception 'Cannot start workflow "%" version %: no worker that has it has started on this database', workflow, version
      using errcode = 'undefined_object',
        hint = (select 'Known versions: ' || string_agg(v.workflow_version::text, ', ' order by v.workflow_version) || '.'
          from workflow_versions as v where v.workflow = start.workflow);
  end if;
  tags := coalesce(tags, '{}');
  if cardinality(tags) > 100 or array_ndims(tags) > 1
    or exists (select from unnest(tags) as tag where tag is null or tag !~ '^[^\u0001-\u001f\u007f-\u009f]{1,200}$') then
    raise exception 'Cannot start workflow "%": expected at most 100 tags of 1 to 200 printable characters', workflow
      using errcode = 'invalid_parameter_value';
  end if;
  metadata := coalesce(metadata, '{}');
  if jsonb_typeof(metadata) <> 'object' then
    raise exception 'Cannot start workflow "%": its metadata is no JSON object', workflow
      using errcode = 'invalid_parameter_value';
  end if;
  unique_to := case known.scope
    when 'workflow' then 'workflow:' || workflow || ':' || full_key
    when 'version' then 'version:' || workflow || ':' || known.workflow_version || ':' || full_key
    when 'global' then 'global:' || full_key
  end;
  for tries in 1..5 loop
    insert into workflow_instances (id, revision, workflow, workflow_version, key, unique_key, status, control, tags,
      metadata, input, inserted_at, updated_at)
    values (
      (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
      0, workflow, known.workflow_version, full_key, unique_to, 'pending', '{"active": {}}', tags, metadata, input,
      clock_timestamp(), clock_timestamp()
    )
    on conflict do nothing
    returning workflow_instances.id into start.id;
    if found then
      started := true;
      insert into jobs (instance_id, kind, state, queue, workflow, workflow_version, step, tags, metadata)
      values (start.id, 'execute', 'available', known.queue, workflow, known.workflow_version, '!start',
        nullif(tags, '{}'), nullif(metadata, '{}'));
      perform wake(known.queue);
      return;
    end if;
    select i.id into start.id from workflow_instances as i
    where i.unique_key = unique_to and i.status in ('pending', 'running', 'waiting', 'undoing');
    if found then
      started := false;
      return;
    end if;
    -- The active instance has ended since, so the key is free.
  end loop;
  raise exception 'Cannot start workflow "%" "%": other callers keep starting instances with the same key', workflow, key
    using errcode = 'object_in_use';
end $$;

-- Inserts a delivery to a signal or an asynchronous step as a job. A worker checks the output: if it cannot be taken, the
-- job is discarded with the reason, and the instance goes on waiting.
create function :schema.deliver(
  workflow text, key text, step text, event text, output jsonb default null, activation int default null,
  metadata jsonb default null, out job bigint
) language plpgsql security definer set search_path = :schema, pg_temp as $$
declare
  full_key text := business_key('deliver to', workflow, key);
  target record;
  declared jsonb;
  met text;
  at_queue text;
begin
  select count(*) as many, min(i.id::text)::uuid as id into target from (
    select i.id from workflow_instances as i
    where i.workflow = deliver.workflow and i.key = full_key and i.status in ('pending', 'running', 'waiting', 'undoing')
    limit 2
  ) as i;
  if target.many > 1 then
    raise exception 'Cannot deliver to % "%": several active instances have this key', workflow, key
      using errcode = 'cardinality_violation', hint = 'Pass the id of one of them as the key.';
  end if;
  -- The lock keeps out a delete and a move to another version, and no turn.
  if target.id is not null then
    select i.* into target from workflow_instances as i where i.id = target.id for key share;
  else
    select i.* into target from workflow_instances as i
    where i.workflow = deliver.workflow and i.key = full_key
    order by i.inserted_at desc
    limit 1
    for key share;
  end if;
  if not found and key ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    select i.* into target from workflow_instances as i where i.workflow = deliver.workflow and i.id = deliver.key::uuid for key share;
  end if;
  if not found then
    raise exception 'Cannot deliver to % "%": there is no such instance', workflow, key using errcode = 'no_data_found';
  end if;
  if target.status not in ('pending', 'running', 'waiting') then
    raise exception 'Cannot deliver to % "%": it is %', workflow, key, target.status
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  select s.step into declared
  from workflow_graphs as g
  cross join jsonb_array_elements(g.graph) as s (step)
  where g.workflow = deliver.workflow and g.workflow_version = target.workflow_version
    and (target.graph is null or g.fingerprint = target.graph) and s.step ->> 'name' = deliver.step
  order by g.inserted_at desc
  limit 1;
  if declared is null then
    raise exception 'Cannot deliver to % "%": it has no signal "%"', workflow, key, step
      using errcode = 'invalid_parameter_value';
  end if;
  if declared ->> 'kind' <> 'signal' and not (declared ->> 'asynchronous')::boolean then
    raise exception 'Cannot deliver to % "%": % "%" does not wait for a delivery', workflow, key, declared ->> 'kind', step
      using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_exists(declared, 'child') then
    raise exception 'Cannot deliver to % "%": step "%" is ended by its child', workflow, key, step
      using errcode = 'invalid_parameter_value';
  end if;
  if event is null or event in ('expired', 'failed') or not jsonb_exists(declared -> 'moves', event) then
    raise exception 'Cannot deliver to % "%": % "%" declares no event "%"', workflow, key, declared ->> 'kind', step, event
      using errcode = 'invalid_parameter_value';
  end if;
  met := target.control -> 'active' ->> step;
  select v.queue into at_queue from workflow_versions as v
  where v.workflow = deliver.workflow
  order by v.workflow_version = target.workflow_version desc, v.announced_at desc
  limit 1;
  insert into jobs (instance_id, kind, state, queue, workflow, workflow_version, step, tags, metadata, args)
  values (
    target.id, 'execute', 'available', at_queue, workflow, target.workflow_version, '!deliver',
    nullif(target.tags, '{}'), nullif(target.metadata, '{}'),
    jsonb_build_object('delivery', gen_random_uuid(), 'step', step, 'event', event)
      || case when output is null then '{}' else jsonb_build_object('output', output) end
      || case when metadata is null then '{}' else jsonb_build_object('metadata', metadata) end
      || case when activation is null then '{}' else jsonb_build_object('activation', activation) end
      || case when met is null then '{}' else
        jsonb_build_object('met', coalesce(nullif(split_part(met, '@', 2), '')::int, 1)) end
  )
  returning id into job;
  perform wake(at_queue);
end $$;

revoke execute on function :schema.business_key(text, text, text), :schema.wake(text),
  :schema.start(text, text, jsonb, int, text[], jsonb), :schema.deliver(text, text, text, text, jsonb, int, jsonb)
from public;
