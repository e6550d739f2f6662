import type { StepDefinition } from "../../core/define/step_definition.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { Committer } from "../turn/committer.ts";
import type { Failures } from "./failures.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { CachedInstance, InstanceCache } from "../turn/instance_cache.ts";
import type { Runtime } from "../runtime.ts";
import type { Recorder } from "../turn/recorder.ts";

/** What the three workers of a process share. */
export interface WorkerContext {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly instances: InstanceCache;
  readonly committer: Committer;
  readonly recorder: Recorder;
  readonly failures: Failures;
}

/** One attempt: everything that belongs to a step being run. */
export interface Attempt {
  readonly job: OwnedJob;
  readonly workflow: Workflow;
  readonly step: StepDefinition;
  readonly cached: CachedInstance;
  readonly began: number;
}
