import { deadlineStep, type JobId, type NewJob } from "../../backend/job.ts";
import { type Activation, firstActivation } from "../../core/engine/activation.ts";
import { stepIn, type Workflow } from "../../core/graph/workflow.ts";
import { filtered } from "../../core/value/filtered.ts";
import { resolveRetry } from "../../core/value/retry.ts";
import type { Due } from "../../core/value/time.ts";
import type { Runtime } from "../runtime.ts";
import { counted, type Times } from "./times.ts";

/** Where new jobs go: each needs an id, and may begin in this process immediately. */
export interface Placement {
  /** The next reserved id. */
  id(): JobId;
  /** Whether a job of this queue begins here. If so, takes a slot for it. */
  begins(queue: string): boolean;
}

/** The steps of a turn that need jobs. */
export interface Starting {
  readonly started: readonly Activation[];
  readonly waiting: readonly Activation[];
  /** The times that were computed for them. */
  readonly times?: Times | undefined;
  /** The deadline of the instance that starts with this turn. */
  readonly deadline?: Due | undefined;
}

/** The priority of jobs that do not set one. */
export const usualPriority = 5;

/** Reserves ids for the jobs of turns. */
export async function placement(
  { ids }: Pick<Runtime, "ids">,
  turns: readonly Starting[],
  begins: Placement["begins"],
): Promise<Placement> {
  let count = 0;
  for (const { started, waiting, deadline } of turns) {
    count += started.length + waiting.length + (deadline === undefined ? 0 : 1);
  }
  const reserved = await ids.take(count);
  let next = 0;
  return { id: () => reserved[next++] ?? "", begins };
}

type Of = Pick<Runtime, "queues" | "retry">;

/** The instance of the jobs. */
interface JobSubject {
  readonly workflow: Workflow;
  readonly instance: string;
}

/** The jobs for steps that have just started: code to run, or a time to wait for. */
export function jobsOf(
  runtime: Of,
  target: JobSubject,
  { started, waiting, times, deadline }: Starting,
  place: Placement,
): readonly NewJob[] {
  const jobs = started.map((activation) => jobOf(runtime, target, activation, times, place));
  const limits = waiting.map((activation) => limitOf(runtime, target, activation, times, place));
  const all = filtered([...jobs, ...limits], (job) => job !== undefined);
  return deadline === undefined ? all : [...all, deadlineOf(runtime, target, deadline, place)];
}

function jobOf(
  runtime: Of,
  target: JobSubject,
  activation: Activation,
  times: Times | undefined,
  place: Placement,
): NewJob | undefined {
  const step = stepIn(target.workflow, activation.step);
  if (step?.kind === "timer") {
    const elapses = { event: "elapsed", after: counted(step.after, activation, times) ?? 0 };
    return timer(runtime, target, activation, elapses, place);
  }
  if (step?.kind !== "step") return limitOf(runtime, target, activation, times, place);
  const { workflow } = target;
  const queue = step.queue ?? runtime.queues.execute;
  return newJob(target, activation, place, {
    kind: "execute",
    queue,
    maxAttempts: resolveRetry(step.retry, workflow.retry, runtime.retry).attempts,
    delay: 0,
    deadline: counted(step.deadline, activation, times),
    owned: place.begins(queue),
    args: undefined,
  });
}

/** The job that ends a wait with a limit. */
function limitOf(
  runtime: Of,
  target: JobSubject,
  activation: Activation,
  times: Times | undefined,
  place: Placement,
): NewJob | undefined {
  const after = counted(target.workflow.steps.get(activation.step)?.expires, activation, times);
  if (after === undefined) return undefined;
  return timer(runtime, target, activation, { event: "expired", after }, place);
}

/** The job that ends an instance at its deadline. */
function deadlineOf(
  { queues }: Of,
  target: JobSubject,
  deadline: Due,
  place: Placement,
): NewJob {
  return newJob(target, { step: deadlineStep, activation: firstActivation }, place, {
    kind: "resume",
    queue: queues.resume,
    maxAttempts: undefined,
    ...waitFor(deadline),
    deadline,
    owned: false,
    args: undefined,
  });
}

function waitFor(time: Due): Pick<NewJob, "delay" | "due"> {
  return typeof time === "number" ? { delay: time } : { delay: 0, due: time };
}

function timer(
  { queues }: Of,
  target: JobSubject,
  activation: Activation,
  { event, after }: { readonly event: string; readonly after: Due },
  place: Placement,
): NewJob {
  return newJob(target, activation, place, {
    kind: "resume",
    queue: queues.resume,
    maxAttempts: undefined,
    ...waitFor(after),
    owned: false,
    args: JSON.stringify({ event }),
  });
}

function newJob(
  { workflow, instance }: JobSubject,
  { step, activation }: Activation,
  place: Placement,
  of: Pick<
    NewJob,
    "kind" | "queue" | "maxAttempts" | "delay" | "due" | "deadline" | "owned" | "args"
  >,
): NewJob {
  return {
    id: place.id(),
    kind: of.kind,
    workflow: workflow.name,
    version: workflow.version,
    instance,
    step,
    activation,
    queue: of.queue,
    priority: stepIn(workflow, step)?.priority ?? usualPriority,
    maxAttempts: of.maxAttempts,
    delay: of.delay,
    due: of.due,
    deadline: of.deadline,
    owned: of.owned,
    args: of.args,
  };
}
