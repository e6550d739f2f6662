import type { MemoryBackend } from "./backend.ts";

/** Where the memory backend takes the time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls `moved` whenever somebody moves the time, until the returned function is called.
   * `backend` says what waits for that.
   */
  onMove?(moved: () => void, backend: Pick<MemoryBackend, "jobs" | "serves">): () => void;
}

export const systemClock: Clock = { now: () => Date.now() };
