/** How many connections there are for each purpose. */
export interface Shares {
  readonly pulse: number;
  readonly listener: number;
  readonly lanes: number;
  /**
   * None where there are few: claims and reads then take their turn on the lane, where nothing
   * waits long.
   */
  readonly reads: number;
  readonly calls: number;
  readonly steps: number;
}

const plenty = 10;

/**
 * Shares connections out: what the engine needs first, then a third of the rest to calls and the
 * others to steps.
 */
export function sharesOf(poolSize: number, notify: boolean): Shares {
  const listener = notify ? 1 : 0;
  const least = 4 + listener;
  if (!Number.isInteger(poolSize) || poolSize < least) {
    throw new RangeError(
      `Cannot use the option poolSize: it must be a whole number from ${least}, got ${poolSize}; ` +
        "heartbeats, commits, calls and the transactions of steps need a connection each" +
        (notify ? ", and so do notifications" : ""),
    );
  }
  const lanes = poolSize < plenty ? 1 : 2;
  const reads = poolSize === least ? 0 : lanes;
  const rest = poolSize - 1 - listener - lanes - reads;
  const calls = Math.ceil(rest / 3);
  return { pulse: 1, listener, lanes, reads, calls, steps: rest - calls };
}
