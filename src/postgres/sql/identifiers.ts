import { createHash } from "node:crypto";

// PostgreSQL truncates longer names, so two that differ only at the end would become equal.
const maxBytes = 63;

/**
 * Quotes a name as an SQL identifier. Throws a `TypeError` for a name that PostgreSQL could not
 * keep unchanged.
 */
export function quoteIdentifier(name: string): string {
  const refusal = reasonAgainst(name);
  if (refusal !== undefined) {
    const shown = typeof name === "string" ? JSON.stringify(name) : String(name);
    throw new TypeError(`Cannot use name ${shown} in the database: ${refusal}`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The channel on which the processes of a schema notify each other of jobs, or of instances that
 * have ended.
 */
export function channelOf(schema: string, about: "jobs" | "ended" = "jobs"): string {
  const prefix = about === "jobs" ? "hephaestus" : "hephaestus_ended";
  const channel = `${prefix}:${schema}`;
  if (bytesOf(channel) <= maxBytes) return channel;
  return `${prefix}:${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
}

function reasonAgainst(name: unknown): string | undefined {
  if (typeof name !== "string") return "it is not a string";
  if (name === "") return "it is empty";
  if (name.includes("\0")) return "it contains a NUL character";
  if (/\p{Surrogate}/u.test(name)) return "it contains half of a surrogate pair";
  if (bytesOf(name) > maxBytes) {
    return `it is ${bytesOf(name)} bytes long, and the limit is ${maxBytes}`;
  }
  if (name.startsWith("pg_") || name === "information_schema") {
    return "it is reserved by PostgreSQL";
  }
  return undefined;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
