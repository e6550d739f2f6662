import type { InstanceState } from "../../backend/store.ts";
import type { Turn } from "../../backend/turn.ts";
import { cancel, cancelUndoing } from "../../core/engine/cancel.ts";
import { itemsOf } from "../../core/each/items.ts";
import { encodeControl } from "../../core/engine/control.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Failure } from "../../core/value/failure.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { othersOf } from "../child/others.ts";
import type { Runtime } from "../runtime.ts";
import { wakeOf } from "../turn/plan.ts";
import { processed, recordedIn } from "../turn/rows.ts";

const none: readonly never[] = [];

/**
 * The turn that cancels an instance, or lets it undo what its steps have done before that. Throws
 * when it has to undo and this process does not have its code.
 */
export function cancelling(
  runtime: Pick<Runtime, "registry" | "queues">,
  state: InstanceState,
  why: Failure,
): Turn {
  const undoes = state.control.undoOn.has("cancelled");
  const workflow = undoes ? runtime.registry.find(state.workflow, state.version) : undefined;
  if (undoes && workflow?.fingerprint !== state.graph) throw withoutCode(state, workflow);
  const progress = workflow === undefined
    ? cancel(state.control)
    : cancelUndoing(workflow.graph, state.control, why.message);
  const known = runtime.registry.find(state.workflow, state.version);
  const graph = known?.fingerprint === state.graph ? known?.graph : undefined;
  return {
    instance: state.id,
    version: state.version,
    revision: state.revision,
    status: progress.status,
    control: encodeControl(progress.control),
    metadata: undefined,
    error: JSON.stringify(why),
    recorded: recordedIn(progress),
    processed: progress.ignored.map((one) => processed(one, one.waits, undefined)),
    settled: none,
    discarded: none,
    resolved: progress.withdrawn,
    emptied: progress.withdrawn.map(({ step }) => step)
      .filter((step) => state.control.each.has(step)).map(itemsOf),
    started: none,
    reused: undefined,
    wake: progress.wake && workflow ? wakeOf(runtime, workflow) : undefined,
    bare: false,
    others: othersOf(graph, state, progress, runtime.queues.resume),
  };
}

function withoutCode(
  { workflow, version, key }: InstanceState,
  here: Workflow | undefined,
): HephaestusError {
  const code = here === undefined ? "UNKNOWN_WORKFLOW" : "GRAPH_CHANGED";
  return new HephaestusError(
    code,
    `Cannot cancel ${workflow} "${key}": it undoes what its steps have done, and this process ${
      here === undefined ? "does not have the code of" : "has another graph of"
    } version ${version}. Cancel it in a process that works on it`,
  );
}
