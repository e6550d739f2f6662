import process from "node:process";

/** Somebody has pressed Ctrl-C, or the like. */
export class Interrupted extends Error {}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Aborts at the first Ctrl-C; the second one ends the process on the spot. */
export function interruption(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const stop = () => {
    leave();
    controller.abort(new Interrupted("Stopped: the next run goes on from here"));
  };
  const leave = () => signals.forEach((name) => process.off(name, stop));
  for (const name of signals) process.on(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: leave };
}
