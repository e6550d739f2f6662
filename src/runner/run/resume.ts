import { encode, type JsonObject } from "../../core/value/json.ts";
import { isFinal } from "../../core/engine/instance.ts";
import type { InstanceState } from "../../backend/store.ts";
import type { NewResult } from "../../backend/turn.ts";
import { leaseOf, type OwnedJob } from "../host.ts";
import type { WorkerContext } from "./worker_context.ts";
import { tellResume } from "../observe.ts";

/** What a resume job carries: the event of a timer, or a delivery that was scheduled. */
interface Resumption {
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
  readonly delivery?: string;
}

/**
 * The resume worker: turns an elapsed timer or a scheduled delivery into a result. Never rejects.
 */
export async function resume(workers: WorkerContext, job: OwnedJob): Promise<void> {
  const { runtime, host, instances, committer, recorder, failures } = workers;
  try {
    const step = runtime.registry.step(job.workflow, job.version, job.step);
    const { event, output, metadata, delivery } = job.args as Resumption;
    const limit = Infinity;
    const result = {
      step: job.step ?? "",
      activation: 1,
      event,
      output: output === undefined
        ? undefined
        : encode(output, { what: `delivery to "${job.step}"`, limit }),
      metadata: metadata === undefined
        ? undefined
        : encode(metadata, { what: `metadata of "${job.step}"`, limit }),
      attempt: 1,
      errors: undefined,
      duration: undefined,
    };
    await instances.load([job.instance]);
    const known = instances.get(job.instance)?.known;
    if (known === undefined || (delivery === undefined && !known.control.active.has(result.step))) {
      const now = (await instances.refresh([job.instance])).get(job.instance);
      if (now === undefined || (delivery === undefined && !now.control.active.has(result.step))) {
        await runtime.backend.store.pass([{
          lease: leaseOf(job),
          instance: job.instance,
          ignored: [],
        }]);
        return host.done(job);
      }
    }
    // Nobody else can end a timer; what ends a wait with a limit may come at the same time as a
    // delivery.
    if (runtime.inline && step?.kind === "timer") {
      committer.submit(job, { ...result, output: undefined, metadata: undefined, result });
    } else recorder.submit(job, result, known && teller(workers, known, result));
  } catch (error) {
    await failures.settle(job, error, { ran: false });
    host.done(job);
  }
}

/** Tells listeners what a delivery that came in time, or the end of a limit, has met. */
function teller(
  { runtime: { telemetry } }: WorkerContext,
  known: InstanceState,
  result: Pick<NewResult, "step" | "event">,
): ((stands: boolean) => void) | undefined {
  if (!telemetry.has("step:resume") || isFinal(known.status)) return undefined;
  const met = known.control.active.has(result.step) ? "accepted" : "early";
  return (stands) => tellResume(telemetry, known, result, stands ? met : "duplicate");
}
