/** Where the memory backend takes the time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `moved` whenever somebody moves the time, until the returned function is called. */
  onMove?(moved: () => void): () => void;
}

export const systemClock: Clock = { now: () => Date.now() };
