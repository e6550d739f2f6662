drop table :schema.processes;
drop table :schema.jobs;
drop table :schema.step_results;
drop table :schema.workflow_instances;
