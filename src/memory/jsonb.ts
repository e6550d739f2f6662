import type { Json, JsonObject } from "../core/json.ts";

/** The JSON text as PostgreSQL's jsonb gives it back: members ordered by length and then by bytes, the last of two wins. */
export function jsonb(text: string): string {
  return JSON.stringify(ordered(JSON.parse(text)));
}

function ordered(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value)) return value.map(ordered);
  const members = Object.entries(value).map(([name, member]) => [name, ordered(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => compareNames(a, b)));
}

function compareNames(a: string, b: string): number {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  if (left.length !== right.length) return left.length - right.length;
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}

/** Whether `value` contains `part`, as jsonb's `@>` has it for objects. */
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
