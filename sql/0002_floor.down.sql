drop table :schema.workflow_graphs;
alter table :schema.workflow_instances drop column graph;

drop index :schema.jobs_alone;
alter table :schema.jobs drop column deaths;

alter table :schema.processes
  drop column queues,
  drop column serves;
