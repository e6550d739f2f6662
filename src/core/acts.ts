/** The instance that an event is about. */
export interface AboutInstance {
  /** Id of the instance. */
  readonly instance: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version of the workflow. */
  readonly version: number;
  /** The business key, for instance `"orderid::abc123"`. */
  readonly key: string;
}

/** A person has retried an instance that had failed. */
export interface WorkflowRetry extends AboutInstance {
  /** Who asked for it, if given. */
  readonly by?: string | undefined;
  /** Why, if given. */
  readonly reason?: string | undefined;
  /** What was started again: `"charge#2"` for the second activation of `charge`. */
  readonly restarted: readonly string[];
}

/** A person has rewound an instance to a step. */
export interface WorkflowRewind extends WorkflowRetry {
  /** What it was rewound to: `"charge"` for the first activation of `charge`. */
  readonly to: string;
  /** What does not count any more, `to` among it. */
  readonly takenBack: readonly string[];
}

/** An instance was started at a step of another one, with results of that one. */
export interface WorkflowFork extends WorkflowRetry {
  /** What it was forked from: `"charge"` for the first activation of `charge`. */
  readonly to: string;
  /** The instance that the results are from. */
  readonly from: { readonly id: string; readonly key: string };
}
