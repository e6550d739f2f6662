import { HephaestusError } from "./base.ts";

/**
 * Says that a version's graph is not the one that its open instances began with: they could not go
 * on as they should. `action` is what was refused. Default: `serve`.
 *
 * @example Read what differs
 * ```ts
 * import { GraphChangedError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const changes = ['step "ship" is new'];
 * const error = new GraphChangedError({ workflow: "order", version: 1, open: 214, changes, next: 2 });
 * assertEquals(
 *   error.message,
 *   'Cannot serve workflow "order" version 1: its graph is not the one that 214 open instances began with ' +
 *     '(step "ship" is new). Make it version 2 with versioned(...). Or let them end, or cancel them.',
 * );
 * ```
 */
export class GraphChangedError extends HephaestusError {
  static {
    this.prototype.name = "GraphChangedError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "GRAPH_CHANGED";
  /** Name of the workflow. */
  readonly workflow: string;
  /** The version whose graph was changed. */
  readonly version: number;
  /** How many instances are open that began with the other graph. */
  readonly open: number;
  /** What is different in this graph; empty when the other one is not known. */
  readonly changes: readonly string[];

  /** Makes the sentence of what differs. `next` is the version that the new graph should have. */
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
      `Cannot ${action} workflow "${workflow}" version ${version}: its graph is not the one that ${instances} began with` +
        `${how}. Make it version ${next} with versioned(...). Or let ${them} end, or cancel ${them}.`,
      options,
    );
    this.workflow = workflow;
    this.version = version;
    this.open = open;
    this.changes = changes;
  }
}
