/** The graph of a version, as a process has it. */
export interface VersionGraph {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  /** JSON text. */
  readonly graph: string;
}

/** Another graph of a version, with which open instances have begun. */
export interface OtherGraph extends VersionGraph {
  readonly open: number;
  /** Whether instances of the graph that was asked about are open, too. */
  readonly mixed: boolean;
}
