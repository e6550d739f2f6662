import { encodeControl } from "../core/control.ts";
import { InvalidValueError } from "../core/errors.ts";
import { businessKey, uniqueKey } from "../core/identity.ts";
import { isFinal } from "../core/instance.ts";
import { decode, encode, type JsonObject } from "../core/json.ts";
import { mergeMetadata } from "../core/engine.ts";
import { check } from "../core/type.ts";
import type { Workflow } from "../core/workflow.ts";
import type { Starting } from "../runner/new_jobs.ts";
import type { Parts } from "../runner/parts.ts";
import { computeOpening } from "../runner/turns.ts";
import type { Known, NewInstance } from "../store/store.ts";
import { uuidv7 } from "./uuid.ts";

/** What an instance is started with. */
export interface Beginning {
  /** The value of the business key. */
  readonly key: string;
  readonly input: unknown;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: JsonObject | undefined;
}

/** An instance that is ready to be inserted, and what this process will know of it. */
export interface Prepared {
  readonly instance: Omit<NewInstance, "started">;
  readonly known: Known;
  /** The steps that need jobs. */
  readonly starting: Starting;
}

/** Checks everything that a start is given and takes the first turn. Nothing is written yet. */
export async function prepare(
  parts: Pick<Parts, "payloadLimit" | "queues" | "retry">,
  workflow: Workflow,
  beginning: Beginning,
): Promise<Prepared> {
  const limit = parts.payloadLimit;
  const key = businessKey(workflow.key, beginning.key);
  const input = await checkedInput(workflow, beginning.input, limit);
  const tags = [...new Set([...workflow.tags, ...checkedTags(workflow, beginning.tags)])];
  const given = encode({ ...workflow.metadata, ...beginning.metadata }, {
    what: `metadata of workflow "${workflow.name}"`,
    limit,
  });
  const opening = computeOpening(parts, workflow, input.value);
  const { progress, recorded, error } = opening;
  const metadata = mergeMetadata(workflow.graph, decode(given) as JsonObject, progress.control);
  const id = uuidv7();
  const known: Known = {
    id,
    workflow: workflow.name,
    version: workflow.version,
    key,
    revision: 1,
    status: progress.status === "running" ? "pending" : progress.status,
    control: progress.control,
    metadata,
    tags,
    input: input.value,
  };
  return {
    known,
    instance: {
      ...known,
      uniqueKey: isFinal(known.status) ? undefined : uniqueKey(workflow, key),
      control: encodeControl(progress.control),
      metadata: JSON.stringify(metadata),
      error,
      input: input.text,
      recorded,
    },
    starting: progress,
  };
}

async function checkedInput(
  workflow: Workflow,
  input: unknown,
  limit: number,
): Promise<{ readonly value: unknown; readonly text: string }> {
  const what = `input of workflow "${workflow.name}"`;
  const checked = await check(workflow.input, input);
  if ("problem" in checked) {
    const problems = [{ path: "", message: checked.problem }];
    throw new InvalidValueError({ what, problems, action: "start with" });
  }
  const text = checked.value === undefined ? "null" : encode(checked.value, { what, limit });
  return { value: decode(text), text };
}

function checkedTags(workflow: Workflow, tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined) return [];
  const good = Array.isArray(tags) && tags.length <= 100 &&
    tags.every((tag) => typeof tag === "string" && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(tag));
  if (good) return tags;
  throw new TypeError(
    `Cannot start workflow "${workflow.name}": tags are at most 100 texts of 1 to 200 printable characters`,
  );
}
