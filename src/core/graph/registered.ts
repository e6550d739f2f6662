import { isObject } from "../define/options.ts";
import type { Workflow } from "./workflow.ts";
import type { VersionedWorkflow } from "./version.ts";

/** Refuses what is no workflow, with a sentence that says what it is. */
export function checkWorkflow(
  action: string,
  value: unknown,
  where = "the workflow",
): asserts value is Workflow | VersionedWorkflow {
  if (isObject(value) && (isObject(value["graph"]) || value["versions"] instanceof Map)) return;
  throw new TypeError(`Cannot ${action} ${where}: it is ${mistaken(value)}`);
}

/** Refuses a list of workflows that is none. */
export function checkWorkflows(
  value: unknown,
): asserts value is readonly (Workflow | VersionedWorkflow)[] {
  const refuse = (why: string) =>
    new TypeError(
      `Cannot make an engine: ${why}. Hand over the workflows whose code this process has: workflows: [order]`,
    );
  if (value === undefined) throw refuse(`the option "workflows" is missing`);
  if (!Array.isArray(value)) throw refuse(`the option "workflows" is no array`);
  value.forEach((one, at) => checkWorkflow("use", one, `workflows[${at}]`));
}

function mistaken(value: unknown): string {
  if (value === undefined || value === null) {
    return `${value}. Modules that import each other may cause that`;
  }
  if (!isObject(value)) return `a ${typeof value}`;
  if (typeof value["on"] === "function") return "not built yet: end it with .build()";
  if (isObject(value["definition"])) {
    return `the step "${value["definition"]["name"]}". A workflow is made with workflow(...)`;
  }
  return "no workflow. A workflow is made with workflow(...).build()";
}
