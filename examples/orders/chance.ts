import { createHash } from "node:crypto";

/** A pseudo-random number from 0 to 1 that is always the same for the same text. */
export function chance(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
}
