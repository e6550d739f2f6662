import type { InstanceState, NewInstance } from "../../backend/store.ts";
import { encodeControl } from "../../core/engine/control.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { InvalidValueError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { Failure } from "../../core/value/failure.ts";
import { businessKey, isPrintable, uniqueKey } from "../../core/value/identity.ts";
import { decode, encode, type JsonObject } from "../../core/value/json.ts";
import { andThen } from "../../core/value/promise.ts";
import { check, type Checked } from "../../core/value/type.ts";
import type { Runtime } from "../runtime.ts";
import { failureOf, planOpening } from "../turn/plan.ts";
import type { TimedProgress } from "../turn/times.ts";
import { uuidv7 } from "../uuid.ts";

/** The arguments of a start. */
export interface StartRequest {
  /** The value of the business key. */
  readonly key: string;
  readonly input: unknown;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: JsonObject | undefined;
}

/** An instance that is ready to be inserted, and what this process will know about it. */
export interface Prepared {
  readonly state: Omit<InstanceState, "insertedAt">;
  readonly uniqueKey: string | undefined;
  /** JSON text. */
  readonly input: string;
  /** The error that a choice threw. */
  readonly error: Failure | undefined;
  /** The choice that threw it. */
  readonly failedIn: string | undefined;
  readonly recorded: NewInstance["recorded"];
  /** The result of the first turn, with the steps that need jobs. */
  readonly starting: TimedProgress;
}

/**
 * Validates the arguments of a start and computes the first turn. Writes nothing yet. Returns a
 * promise only if the schema of the input is asynchronous.
 */
export function prepare(
  limits: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  beginning: StartRequest,
): Prepared | Promise<Prepared> {
  const key = businessKey(workflow.key, beginning.key);
  const tags = tagsOf(workflow, beginning.tags);
  const metadata = metadataOf(workflow, beginning.metadata, limits.payloadLimit);
  return andThen(
    check(workflow.input, beginning.input),
    (checked) => prepared(limits, workflow, { key, tags, metadata }, checked),
  );
}

function prepared(
  limits: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  { key, tags, metadata }: Pick<InstanceState, "key" | "tags" | "metadata">,
  checked: Checked,
): Prepared {
  const text = inputText(workflow, checked, limits.payloadLimit);
  const input = decode(text);
  const { progress, recorded } = planOpening(limits, workflow, input);
  const control = withStart(progress.control, metadata);
  const status = progress.status === "running" ? "pending" : progress.status;
  return {
    state: {
      id: uuidv7(),
      workflow: workflow.name,
      version: workflow.version,
      graph: workflow.fingerprint,
      key,
      revision: 1,
      status,
      control,
      metadata: control.metadata.size === 0 ? metadata : mergeMetadata(workflow.graph, control),
      tags,
      input,
    },
    uniqueKey: isFinal(status) ? undefined : uniqueKey(workflow, key),
    input: text,
    error: failureOf(progress),
    failedIn: progress.failed?.step,
    recorded,
    starting: progress,
  };
}

/** The row of an instance, with its first jobs. */
export function instanceOf(
  { state, uniqueKey, input, error, recorded }: Prepared,
  started: NewInstance["started"],
): NewInstance {
  return {
    id: state.id,
    workflow: state.workflow,
    version: state.version,
    graph: state.graph,
    key: state.key,
    uniqueKey,
    status: started.some(({ owned }) => owned) ? "running" : state.status,
    control: encodeControl(state.control),
    tags: state.tags,
    metadata: JSON.stringify(state.metadata),
    error: error && JSON.stringify(error),
    input,
    recorded,
    started,
  };
}

function inputText(workflow: Workflow, checked: Checked, limit: number): string {
  const what = `input of workflow "${workflow.name}"`;
  if ("problem" in checked) {
    const problems = [{ path: "", message: checked.problem }];
    throw new InvalidValueError({ what, problems, action: "start with" });
  }
  return checked.value === undefined ? "null" : encode(checked.value, { what, limit });
}

function metadataOf(
  workflow: Workflow,
  given: JsonObject | undefined,
  limit: number,
): JsonObject {
  const all = { ...workflow.metadata, ...given };
  if (Object.keys(all).length === 0) return all;
  const what = `metadata of workflow "${workflow.name}"`;
  return decode(encode(all, { what, limit })) as JsonObject;
}

function tagsOf(workflow: Workflow, given: readonly string[] | undefined): readonly string[] {
  const tags = [...workflow.tags, ...checkedTags(workflow, given)];
  return Object.freeze(tags.length < 2 ? tags : [...new Set(tags)]);
}

function checkedTags(workflow: Workflow, tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined) return [];
  const good = Array.isArray(tags) && tags.length <= 100 &&
    tags.every((tag) => isPrintable(tag));
  if (good) return tags;
  throw new TypeError(
    `Cannot start workflow "${workflow.name}": expected at most 100 tags of 1 to 200 printable characters`,
  );
}
