import { type Activation, activationKey } from "../engine/activation.ts";
import type { ParentStep } from "../engine/instance.ts";

const prime = (1n << 88n) + 0x13bn;
const offset = 0x6c62272e07bb014262b821756295c58dn;

/**
 * The id of the child of an activation: a UUIDv8 made of an FNV-1a hash of 128 bits. A second
 * start of the child is a start of the same instance.
 */
export function childId({ instance, step, activation }: ParentStep): string {
  const text = `${instance}/${step}/${activation}`;
  let hash = offset;
  for (let at = 0; at < text.length; at++) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(text.charCodeAt(at))) * prime);
  }
  const hex = hash.toString(16).padStart(32, "0");
  const variant = (8 | (Number.parseInt(hex[16]!, 16) & 3)).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20),
  ];
  return parts.join("-");
}

/** The value of a child's business key where the step makes none: no other child has it. */
export function childKey(parent: string, of: Activation): string {
  return `${parent}/${activationKey(of)}`;
}
