/** The graph of a version in the code of a process. */
export interface VersionGraph {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  /** JSON text. */
  readonly graph: string;
}

/** A different graph of a version that open instances started with. */
export interface OtherGraph extends VersionGraph {
  readonly open: number;
  /** Whether there are also open instances of the graph that was compared. */
  readonly mixed: boolean;
}
