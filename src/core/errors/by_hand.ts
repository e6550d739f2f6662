import { HephaestusError } from "./base.ts";

/** The instance that a person acts upon. */
interface ActedUpon {
  readonly workflow: string;
  readonly key: string;
}

/** Says why an instance cannot be retried. */
export function notRetryable(of: ActedUpon, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_RETRYABLE", sentence("retry", of, why), options);
}

/** Says why an instance cannot be rewound. */
export function notRewindable(of: ActedUpon, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_REWINDABLE", sentence("rewind", of, why), options);
}

/** Says why an instance cannot be forked. */
export function notForkable(of: ActedUpon, why: string, options?: ErrorOptions): HephaestusError {
  return new HephaestusError("NOT_FORKABLE", sentence("fork", of, why), options);
}

function sentence(action: string, { workflow, key }: ActedUpon, why: string): string {
  return `Cannot ${action} ${workflow} "${key}": ${why}`;
}
