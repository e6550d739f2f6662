import { HephaestusError } from "./base.ts";

/**
 * Thrown when the graph of a version differs from the graph that its open instances started with,
 * so that they could not continue correctly. `action` is what was attempted. Default: `serve`.
 *
 * @example Read the differences
 * ```ts
 * import { GraphChangedError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const changes = ['step "ship" was added'];
 * const of = { workflow: "order", version: 1, open: 214, changes, next: 2 };
 * assertEquals(
 *   new GraphChangedError(of).message,
 *   'Cannot serve workflow "order" version 1: its graph differs from the one that ' +
 *     '214 open instances started with (step "ship" was added). ' +
 *     "Make it version 2 with versioned(...), let them finish, or cancel them.",
 * );
 * ```
 */
export class GraphChangedError extends HephaestusError {
  static {
    this.prototype.name = "GraphChangedError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "GRAPH_CHANGED";
  /** Name of the workflow. */
  readonly workflow: string;
  /** The version whose graph was changed. */
  readonly version: number;
  /** How many open instances started with the other graph. */
  readonly open: number;
  /** How this graph differs; empty when the other graph is not known. */
  readonly changes: readonly string[];

  /** Builds the message from the differences. `next` is the version number for the new graph. */
  constructor(
    of: {
      workflow: string;
      version: number;
      open: number;
      changes: readonly string[];
      next: number;
      action?: string;
    },
    options?: ErrorOptions,
  ) {
    const { workflow, version, open, changes, next, action = "serve" } = of;
    const [them, instances] = open === 1
      ? ["it", "1 open instance"]
      : ["them", `${open} open instances`];
    const more = changes.length > 3 ? `, and ${changes.length - 3} more` : "";
    const how = changes.length === 0 ? "" : ` (${changes.slice(0, 3).join(", ")}${more})`;
    super(
      "GRAPH_CHANGED",
      `Cannot ${action} workflow "${workflow}" version ${version}: its graph differs from the one that ${instances} started with` +
        `${how}. Make it version ${next} with versioned(...), let ${them} finish, or cancel ${them}.`,
      options,
    );
    this.workflow = workflow;
    this.version = version;
    this.open = open;
    this.changes = changes;
  }
}
