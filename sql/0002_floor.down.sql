drop trigger say_waits on :schema.step_results;
drop function :schema.say_waits();
alter table :schema.step_results
  drop constraint step_results_pkey;
update :schema.step_results set activation = -activation where waits;
alter table :schema.step_results
  drop column waits,
  add primary key (instance_id, step_ref, activation);
alter table :schema.jobs drop column activation;

drop trigger delete_with_instances on :schema.workflow_instances;
drop function :schema.delete_with_instances();
drop trigger require_instance on :schema.step_results;
drop function :schema.require_instance();
drop index :schema.workflow_instances_finished;

drop table :schema.workflow_graphs;
alter table :schema.workflow_instances drop column graph;

drop index :schema.jobs_alone;
alter table :schema.jobs drop column deaths;

alter table :schema.processes
  drop column queues,
  drop column serves;

drop index :schema.workflow_instances_key;
drop index :schema.workflow_instances_status;
create index workflow_instances_key on :schema.workflow_instances (key);
create index workflow_instances_status on :schema.workflow_instances (workflow, status, id);
