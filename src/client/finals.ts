/** Callers that wait for instances to become final, told by the process that made them so. */
export class Finals {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** An instance is final. */
  tell(instance: string): void {
    for (const wake of this.#waiting.get(instance) ?? []) wake();
  }

  /** Waits until somebody tells, `milliseconds` have passed, or `signal` aborts. */
  async wait(instance: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(instance) ?? new Set();
    this.#waiting.set(instance, waiting);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(instance);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      if (signal.aborted) wake();
    });
  }
}
