import type { StepDefinition } from "../../core/define/step_definition.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { OwnedJob } from "../host.ts";
import type { CachedInstance } from "../turn/instance_cache.ts";

/** One attempt: everything that belongs to a step being run. */
export interface Attempt {
  readonly job: OwnedJob;
  readonly workflow: Workflow;
  readonly step: StepDefinition;
  readonly cached: CachedInstance;
  readonly began: number;
}
