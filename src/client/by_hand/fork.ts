import type { EmittedOf, StepEvents } from "../../core/define/emit.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { notForkable } from "../../core/errors/by_hand.ts";
import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import { forking, type PlannedFork } from "../../runner/by_hand/forking.ts";
import { aboutInstance, emitEnd, emitProgress } from "../../runner/observe.ts";
import { uuidv7 } from "../../runner/uuid.ts";
import { type Client, notFound } from "../client.ts";
import { type AnyWorkflow, type InstanceTarget, keyOf } from "../find.ts";
import type { Handle } from "../handle.ts";
import { actedOn, actOf, expectJobs, type RetryOptions } from "./acts.ts";
import { takenBy } from "./retry.ts";
import { placeOf, type StepOf } from "./rewind.ts";

/** The options of a fork. The history of the new instance shows `by` and `reason`. */
export interface ForkOptions<E extends StepEvents = StepEvents> extends RetryOptions {
  /** The step that the new instance begins with. */
  readonly from: StepOf<E>;
  /** The value of the business key of the new instance. */
  readonly key: string;
  /** The activation of the step. Default: the one that counts last. */
  readonly activation?: number | undefined;
  /** What the step is taken to have ended with. Default: it runs in the new instance. */
  readonly outcome?: NoInfer<EmittedOf<E>> | undefined;
}

const forkNames: OptionNames<ForkOptions> = {
  activation: true,
  by: true,
  from: true,
  key: true,
  outcome: true,
  reason: true,
  tx: true,
};

/** Starts an instance at a step of another one, with the results that the step has not caused. */
export async function fork(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: ForkOptions,
): Promise<Handle> {
  checkNames("fork", options, forkNames);
  const act = actOf("fork", options);
  const { tx, from, activation, outcome } = options;
  const { runtime } = client;
  const { store } = runtime.backend;
  const key = keyOf(target, options.key);
  const { instance, workflow, place } = await actedOn(client, target, who, "fork", options);
  const at = await placeOf(client, workflow, "fork", { to: from, activation, outcome });
  await runtime.graphs.admit([workflow], tx !== undefined);
  const to = { id: uuidv7(), key };
  let computed: PlannedFork | undefined;
  const forked = await store.fork(instance.id, (state, history) => {
    if (state.control.undo !== undefined) return undefined;
    computed = forking(runtime, workflow, state, history, at, to, act, place());
    return computed.forking;
  }, tx);
  if (forked.kind === "taken") {
    throw notForkable(instance, takenBy(forked, `key "${key}"`));
  }
  if (forked.kind === "kept" || computed === undefined) {
    const { status } = forked.kind === "kept" ? forked : instance;
    if (status === undefined) throw notFound(instance, "fork");
    throw notForkable(instance, "it undoes or has undone what its steps had done");
  }
  const { progress, row, forking: { instance: { started, status } } } = computed;
  const made = { id: to.id, key, workflow: workflow.name, version: workflow.version };
  // The caller's transaction is still open and may never commit.
  if (tx === undefined) {
    expectJobs(client, { started });
    const about = aboutInstance(made);
    if (runtime.telemetry.has("workflow:fork")) {
      runtime.telemetry.emit("workflow:fork", { ...about, ...row });
    }
    emitProgress(runtime.telemetry, made, workflow, progress);
    if (isFinal(status)) {
      const { control } = progress;
      const end = { status, error: undefined, at: forked.at };
      emitEnd(runtime.telemetry, { ...made, control, insertedAt: forked.at }, end);
    }
  }
  return client.handle(made, true);
}
