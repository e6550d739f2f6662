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
create index workflow_instances_newest on :schema.workflow_instances (inserted_at);
