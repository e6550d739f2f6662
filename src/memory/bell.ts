/** Notifies listeners of the changes of a statement after it has committed. */
export class Bell {
  readonly #listeners = new Set<(names: readonly string[]) => void>();
  readonly #rung = new Set<string>();

  ring(name: string): void {
    this.#rung.add(name);
  }

  listen(listener: (names: readonly string[]) => void): AsyncDisposable {
    // The same function may listen twice, and each registration ends separately.
    const own = (names: readonly string[]) => listener(names);
    this.#listeners.add(own);
    return {
      [Symbol.asyncDispose]: () => {
        this.#listeners.delete(own);
        return Promise.resolve();
      },
    };
  }

  /** Announces the names that were rung since `silence`. */
  announce(): void {
    if (this.#rung.size > 0) this.notify([...this.#rung]);
  }

  notify(names: readonly string[]): void {
    queueMicrotask(() => {
      for (const listener of [...this.#listeners]) listener(names);
    });
  }

  silence(): void {
    this.#rung.clear();
  }

  close(): void {
    this.#listeners.clear();
  }
}
