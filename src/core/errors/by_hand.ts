import { HephaestusError } from "./base.ts";

/** The instance that a person wants to do something to. */
interface Subject {
  readonly workflow: string;
  readonly key: string;
}

/** Says why an instance cannot be retried. */
export function notRetryable(of: Subject, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_RETRYABLE", sentence("retry", of, why), options);
}

/** Says why an instance cannot be rewound. */
export function notRewindable(of: Subject, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_REWINDABLE", sentence("rewind", of, why), options);
}

/** Says why an instance cannot be forked. */
export function notForkable(of: Subject, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_FORKABLE", sentence("fork", of, why), options);
}

function sentence(action: string, { workflow, key }: Subject, why: string): string {
  return `Cannot ${action} ${workflow} "${key}": ${why}`;
}
