import process from "node:process";

/** The run was interrupted, for instance with Ctrl-C. */
export class Interrupted extends Error {}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

// A terminal and npm may both forward the same Ctrl-C, so a second one within this many
// milliseconds is ignored.
const echo = 1_000;

/** Aborts at the first Ctrl-C. A later one ends the process at once. */
export function interruption(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const leave = () => signals.forEach((name) => process.off(name, stop));
  const stop = () => {
    if (controller.signal.aborted) return;
    controller.abort(new Interrupted("Stopped: the next run continues from here"));
    setTimeout(leave, echo).unref();
  };
  for (const name of signals) process.on(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: leave };
}
