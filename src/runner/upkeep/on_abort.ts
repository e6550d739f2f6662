const listening = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `heard` when the signal aborts, or immediately if it has already aborted. Returns a
 * function that removes the callback.
 *
 * All callbacks of a signal share one listener. Node warns of a leak when a signal has more than
 * ten, and a caller's signal may be used for many calls.
 */
export function onAbort(signal: AbortSignal, heard: () => void): () => void {
  if (signal.aborted) {
    heard();
    return () => {};
  }
  // A new function each time, because the same callback may be given twice.
  const own = () => heard();
  const all = listening.get(signal) ?? listenTo(signal);
  all.add(own);
  return () => {
    if (!all.delete(own) || all.size > 0) return;
    listening.delete(signal);
    signal.removeEventListener("abort", notify);
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  listening.set(signal, all);
  signal.addEventListener("abort", notify, { once: true });
  return all;
}

function notify(this: AbortSignal): void {
  const all = listening.get(this);
  listening.delete(this);
  for (const heard of [...all ?? []]) if (all?.delete(heard)) heard();
}
