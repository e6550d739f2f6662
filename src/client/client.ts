import type { Storage } from "../backend/storage.ts";
import type { Instance } from "../core/engine/instance.ts";
import { InstanceNotFoundError } from "../core/errors/errors.ts";
import { resolveRetry } from "../core/value/retry.ts";
import { defaultLogger, guarded } from "../observe/logger.ts";
import { Telemetry } from "../observe/telemetry.ts";
import { postgresBackend } from "../postgres/backend.ts";
import { Graphs } from "../runner/graphs.ts";
import { JobIds } from "../runner/job_ids.ts";
import { Registry } from "../runner/registry.ts";
import type { Runtime } from "../runner/runtime.ts";
import type { WorkerProcess } from "../runner/worker.ts";
import type { Handle } from "./handle.ts";
import type { HephaestusOptions } from "./options.ts";
import type { Waiters } from "./wait.ts";

/** Shared by all calls of a client. */
export interface Client {
  readonly runtime: Runtime;
  readonly waiters: Waiters;
  /** The workers of this process. */
  readonly workers: ReadonlySet<WorkerProcess>;
  /** `fresh` means that the instance was just started here. */
  handle(of: Pick<Instance, "id" | "key" | "workflow" | "version">, fresh: boolean): Handle;
}

/** Throws when the store answers that the instance does not exist. */
export function notFound(
  of: { readonly workflow: string; readonly key: string },
  action: string,
): InstanceNotFoundError {
  return new InstanceNotFoundError({ ...of, action });
}

/** Creates the runtime of an engine. Throws for invalid options. */
export function runtimeOf(options: HephaestusOptions): Runtime {
  const { queues = {}, inline = true, payloadLimit = 1_048_576, retry } = options;
  const logger = guarded(options.logger ?? defaultLogger);
  if (retry !== undefined) resolveRetry(retry);
  if (!Number.isInteger(payloadLimit) || payloadLimit < 1 || payloadLimit > 268_435_455) {
    throw new RangeError(
      "Cannot use the option payloadLimit: it is not a whole number of bytes up to 268,435,455",
    );
  }
  const registry = new Registry(options.workflows);
  const backend = options.backend as Storage | undefined ?? postgresBackend(options);
  const { execute = "default", advance = execute, resume = execute } = queues;
  return {
    backend,
    registry,
    graphs: new Graphs(backend.store, registry, logger),
    ids: new JobIds(backend.queue),
    logger,
    telemetry: new Telemetry(logger),
    queues: { advance, execute, resume },
    inline,
    retry,
    payloadLimit,
    random: Math.random,
  };
}
