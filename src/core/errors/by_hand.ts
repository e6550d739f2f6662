import { HephaestusError } from "./base.ts";

/** Says why an instance cannot be retried. */
export function notRetryable(
  { workflow, key }: { readonly workflow: string; readonly key: string },
  why: string,
  options?: ErrorOptions,
): HephaestusError {
  return new HephaestusError("NOT_RETRYABLE", `Cannot retry ${workflow} "${key}": ${why}`, options);
}
