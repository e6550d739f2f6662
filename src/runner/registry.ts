import type { StepDefinition } from "../core/define/step_definition.ts";
import { UnknownWorkflowError } from "../core/errors/errors.ts";
import { checkWorkflows, sameKey, type VersionedWorkflow } from "../core/graph/version.ts";
import { stepIn, type Workflow } from "../core/graph/workflow.ts";

/** The workflows whose code this process has, by name and version. */
export class Registry {
  readonly #workflows = new Map<string, Map<number, Workflow>>();
  readonly #current = new Map<string, number>();

  constructor(definitions: readonly (Workflow | VersionedWorkflow)[]) {
    checkWorkflows(definitions);
    for (const definition of definitions) {
      const versions = "versions" in definition ? [...definition.versions.values()] : [definition];
      for (const workflow of versions) this.#add(workflow);
      const { name } = definition;
      const current = "versions" in definition ? definition.current : definition.version;
      this.#current.set(name, Math.max(current, this.#current.get(name) ?? current));
    }
  }

  #add(workflow: Workflow): void {
    const versions = this.#workflows.get(workflow.name) ?? new Map<number, Workflow>();
    const there = versions.get(workflow.version);
    const [other] = versions.values();
    if (other !== undefined) sameKey(other, workflow);
    if (there !== undefined && there.graph !== workflow.graph) {
      throw new TypeError(
        `Cannot register workflow "${workflow.name}" version ${workflow.version}: another workflow with this name and version is already registered`,
      );
    }
    this.#workflows.set(workflow.name, versions.set(workflow.version, workflow));
  }

  /** All versions of all workflows. */
  all(): readonly Workflow[] {
    return [...this.#workflows.values()].flatMap((versions) => [...versions.values()]);
  }

  /** The version of new instances when nobody chooses one. */
  current(name: string): number | undefined {
    return this.#current.get(name);
  }

  /** A workflow, or `undefined` if it is not registered. */
  find(name: string, version: number): Workflow | undefined {
    return this.#workflows.get(name)?.get(version);
  }

  /** A registered workflow. Throws `UnknownWorkflowError` for any other. */
  get(name: string, version: number): Workflow {
    const workflow = this.find(name, version);
    if (workflow !== undefined) return workflow;
    const known = [...this.#workflows.keys()];
    throw new UnknownWorkflowError({ workflow: name, version, known });
  }

  /** A step of a workflow, or the undo of one, if the workflow is registered. */
  step(name: string, version: number, step: string | undefined): StepDefinition | undefined {
    const workflow = this.find(name, version);
    return step === undefined || workflow === undefined ? undefined : stepIn(workflow, step);
  }
}
