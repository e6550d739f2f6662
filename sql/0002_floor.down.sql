drop index :schema.jobs_alone;
alter table :schema.jobs drop column deaths;

alter table :schema.processes
  drop column queues,
  drop column serves;
