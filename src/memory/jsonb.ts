import type { Json, JsonObject } from "../core/value/json.ts";

const utf8 = new TextEncoder();

/**
 * The JSON text as PostgreSQL's jsonb returns it: keys sorted by length and then by bytes, and the
 * last of two equal keys wins.
 */
export function jsonb(text: string): string {
  return JSON.stringify(ordered(JSON.parse(text)));
}

function ordered(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value)) return value.map(ordered);
  // Encode each key once instead of in every comparison: an object may have 100,000 keys.
  const names = Object.keys(value).map((name) => ({ name, bytes: utf8.encode(name) }));
  names.sort((a, b) => compareBytes(a.bytes, b.bytes));
  return Object.fromEntries(names.map(({ name }) => [name, ordered(value[name]!)]));
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) return left.length - right.length;
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}

/** Whether `value` contains `part`, as in jsonb's `@>` for objects. */
export function contains(value: Json | undefined, part: Json): boolean {
  if (value === undefined) return false;
  if (isArray(part)) {
    return isArray(value) && part.every((wanted) => value.some((item) => contains(item, wanted)));
  }
  if (!isObject(part)) return value === part;
  return isObject(value) &&
    Object.entries(part).every(([name, wanted]) =>
      Object.hasOwn(value, name) && contains(value[name], wanted)
    );
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === "object" && !isArray(value);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
