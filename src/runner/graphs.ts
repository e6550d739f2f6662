import type { OtherGraph } from "../backend/graphs.ts";
import type { Served } from "../backend/queue.ts";
import type { InstanceState, Store } from "../backend/store.ts";
import { isFinal } from "../core/engine/instance.ts";
import { GraphChangedError, RetryLaterError } from "../core/errors/errors.ts";
import { encodeGraph, graphChanges } from "../core/graph/fingerprint.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { failure } from "../core/value/failure.ts";
import type { Logger } from "../observe/logger.ts";
import type { Registry } from "./registry.ts";

/**
 * An instance was started with a different graph of its version than this process has. Another
 * process must run its job.
 */
export class ForeignGraph extends RetryLaterError {
  constructor({ workflow, version, id }: InstanceState) {
    const reason =
      `instance ${id} started with a different graph of workflow "${workflow}" version ${version}`;
    super({ after: 0, reason });
  }
}

/** What the store returned about the graph of a version. */
interface GraphAnswer {
  readonly at: number;
  /** The other graphs, if this one must not be used at all. */
  readonly refused: readonly OtherGraph[];
}

/**
 * Milliseconds for which this process leaves a version to others after it met one of their
 * instances, so that they claim the job first.
 */
const leftToOthers = 1_000;

/** Milliseconds for which an answer counts as fresh when an instance is started. */
const reliedOn = 30_000;

/**
 * Decides which versions this process may work on and start. It refuses a version whose open
 * instances were all started with another graph. If two processes started instances with two graphs
 * at the same time, each continues with its own instances.
 */
export class Graphs {
  readonly #store: Pick<Store, "compare">;
  readonly #registry: Registry;
  readonly #logger: Logger;
  /** By fingerprint. */
  readonly #answers = new Map<string, GraphAnswer>();
  /** Until when a version is left to others, by fingerprint. */
  readonly #left = new Map<string, number>();
  #reported: ReadonlySet<string> = new Set();
  #looking: Promise<unknown> | undefined;

  constructor(store: Pick<Store, "compare">, registry: Registry, logger: Logger) {
    this.#store = store;
    this.#registry = registry;
    this.#logger = logger;
  }

  /** The (workflow, version) pairs that this process may work on. */
  served(): readonly Served[] {
    const now = performance.now();
    return this.#registry.all()
      .filter((workflow) => !this.#isRefused(workflow))
      .filter(({ fingerprint }) => now >= (this.#left.get(fingerprint) ?? 0))
      .map(({ name, version }) => ({ workflow: name, version }));
  }

  #isRefused({ fingerprint }: Workflow): boolean {
    return (this.#answers.get(fingerprint)?.refused.length ?? 0) > 0;
  }

  /**
   * Asks the store about all workflows of this process, and logs which are refused. Returns true
   * when one is no longer refused.
   */
  async look(): Promise<boolean> {
    const workflows = this.#registry.all();
    const before = workflows.filter((workflow) => this.#isRefused(workflow)).length;
    const others = await this.#ask(workflows);
    const reported = new Set<string>();
    for (const other of others) {
      const action = other.mixed ? "serve all of" : "serve";
      const cause = `${action} ${other.fingerprint}`;
      const workflow = this.#registry.get(other.workflow, other.version);
      if (!this.#reported.has(cause) && !reported.has(cause)) {
        this.#logger.error(this.#error(workflow, other, action).message, { open: other.open });
      }
      reported.add(cause);
    }
    this.#reported = reported;
    if (workflows.filter((workflow) => this.#isRefused(workflow)).length >= before) return false;
    this.#logger.info("No open instance uses a different graph any more. All versions are served");
    return true;
  }

  /** Refuses to start instances that no process could continue. */
  async admit(workflows: Iterable<Workflow>, inTransaction: boolean): Promise<void> {
    for (const workflow of new Set(workflows)) {
      const answer = this.#answers.get(workflow.fingerprint);
      // Inside a caller's transaction, do not wait for another connection if there is any answer.
      const holds = answer !== undefined && answer.refused.length === 0 &&
        (inTransaction || performance.now() - answer.at < reliedOn);
      if (!holds) await this.#ask([workflow]);
      const [other] = this.#answers.get(workflow.fingerprint)?.refused ?? [];
      if (other !== undefined) throw this.#error(workflow, other, "start");
    }
  }

  /** The error for a caller that names an instance of another graph. */
  async refusal(
    workflow: Workflow,
    fingerprint: string,
    action: string,
  ): Promise<GraphChangedError> {
    const others = await this.#ask([workflow]);
    return this.#error(workflow, others.find((other) => other.fingerprint === fingerprint), action);
  }

  /** Whether this process can continue an instance. */
  fits({ workflow, version, graph, status }: InstanceState): boolean {
    if (graph === undefined || isFinal(status)) return true;
    const here = this.#registry.find(workflow, version);
    return here === undefined || here.fingerprint === graph;
  }

  /**
   * Returns the error for a job of an instance that does not fit. Checks the graph again at the
   * first such job, for the log.
   */
  met(state: InstanceState): ForeignGraph {
    const { workflow, version, graph } = state;
    const here = this.#registry.find(workflow, version);
    const until = performance.now() + leftToOthers * (1 + 2 * Math.random());
    if (here !== undefined) this.#left.set(here.fingerprint, until);
    if (![...this.#reported].some((cause) => cause.endsWith(` ${graph}`))) {
      this.#looking ??= this.look()
        .catch((error) => {
          this.#logger.warn("Cannot check for other graphs", { error: failure(error) });
        })
        .finally(() => this.#looking = undefined);
    }
    return new ForeignGraph(state);
  }

  async #ask(workflows: readonly Workflow[]): Promise<readonly OtherGraph[]> {
    if (workflows.length === 0) return [];
    const others = await this.#store.compare(workflows.map((workflow) => ({
      workflow: workflow.name,
      version: workflow.version,
      fingerprint: workflow.fingerprint,
      graph: encodeGraph(workflow.graph),
    })));
    const at = performance.now();
    for (const { name, version, fingerprint } of workflows) {
      const refused = others.filter((other) =>
        other.workflow === name && other.version === version && !other.mixed
      );
      this.#answers.set(fingerprint, { at, refused });
    }
    return others;
  }

  #error(workflow: Workflow, other: OtherGraph | undefined, action: string): GraphChangedError {
    const { name, version, graph } = workflow;
    const versions = this.#registry.all().filter((one) => one.name === name);
    return new GraphChangedError({
      workflow: name,
      version,
      open: other?.open ?? 1,
      changes: other === undefined ? [] : graphChanges(other.graph, encodeGraph(graph)),
      next: Math.max(version, ...versions.map((one) => one.version)) + 1,
      action,
    });
  }
}
