import type { WorkflowDefinitionError } from "./errors.ts";
import type { Graph } from "./graph.ts";
import type { StepDefinition } from "./step.ts";

export function prove(
  _graph: Graph,
  _steps: ReadonlyMap<string, StepDefinition>,
  _refuse: (why: string) => WorkflowDefinitionError,
): void {}
