import type { Host } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import type { Committer } from "../turn/committer.ts";
import type { InstanceCache } from "../turn/instance_cache.ts";
import type { Recorder } from "../turn/recorder.ts";
import type { Failures } from "./failures.ts";

/** What the three workers of a process share. */
export interface WorkerContext {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly instances: InstanceCache;
  readonly committer: Committer;
  readonly recorder: Recorder;
  readonly failures: Failures;
}
