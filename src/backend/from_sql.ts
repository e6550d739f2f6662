import type { Scope } from "../core/value/identity.ts";

/** In the job that begins an instance that SQL has started: no step can have this name. */
export const startStep = "!start";

/** In the job that makes a delivery from SQL. */
export const deliverStep = "!deliver";

/** What SQL must know of a version of a workflow to start it. */
export interface KnownVersion {
  readonly workflow: string;
  readonly version: number;
  /** The name of the business key. */
  readonly key: string;
  readonly scope: Scope;
  /** The queue of the jobs that SQL inserts. */
  readonly queue: string;
  /** Whether new instances have this version when nobody chooses one. */
  readonly current: boolean;
}
