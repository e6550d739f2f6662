-- Which work a process can take: null where a process does not say. A workflow reads name@version.
alter table :schema.processes
  add column queues text[],
  add column serves text[];

-- How often the process died that ran it. Died twice in company, it runs alone: rare, and found by an index of its own.
alter table :schema.jobs add column deaths smallint not null default 0;
create index jobs_alone on :schema.jobs (queue, priority, scheduled_at, id)
  where state = 'available' and deaths >= 2;
