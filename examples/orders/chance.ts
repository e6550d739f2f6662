import { createHash } from "node:crypto";

/** A number from 0 to 1 that is always the same for the same text: luck that can be repeated. */
export function chance(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
}
