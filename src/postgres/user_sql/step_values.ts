import { encode } from "../../core/value/json.ts";
import { Bound, kind } from "../driver/parameters.ts";

const [bytea, json, jsonb] = [17, 114, 3802];
/** For a text parameter, or one without a known type, an array is JSON. */
const asJson: ReadonlySet<number> = new Set([json, jsonb, 25, 705, 1042, 1043]);
const jsonArrays: ReadonlySet<number> = new Set([199, 3807]);

/**
 * The text of a value. An array is a PostgreSQL array if the parameter has an array type, and JSON
 * if it is json, jsonb or text; bytes need a bytea. The server reports the type of each parameter.
 *
 * @throws {TypeError} When the database has no text for it.
 */
export function parameter(value: unknown, at: number): string | null | Bound {
  const what = `parameter $${at}`;
  if (value === null || typeof value === "string") return value;
  const bytes = bytesOf(value);
  if (bytes !== undefined) {
    return new Bound((type) => {
      if (type === bytea) return hex(bytes);
      throw new TypeError(
        `Cannot bind ${what}: bytes need a parameter of type bytea. Write \${bytes}::bytea`,
      );
    });
  }
  if (ArrayBuffer.isView(value)) {
    throw refused(
      what,
      `a ${value.constructor.name}`,
      "Use an array, or its bytes as a Uint8Array",
    );
  }
  if (Array.isArray(value)) {
    return new Bound((type) =>
      asJson.has(type)
        ? encode(value, { what, limit: Infinity })
        : literal(value, what, jsonArrays.has(type))
    );
  }
  return scalar(value, what) ?? encode(value, { what, limit: Infinity });
}

/** The text of a value that is neither bytes nor an array; undefined for an object. */
function scalar(value: unknown, what: string): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return String(value);
    throw refused(what, String(value));
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(what, "an invalid Date");
    return value.toISOString();
  }
  if (typeof value === "object") return undefined;
  throw refused(what, kind(value));
}

/** An array in PostgreSQL's text format. */
function literal(values: readonly unknown[], what: string, json: boolean): string {
  // Array.from converts holes to undefined; other methods skip them.
  const elements = Array.from(values, (value, index) => {
    const place = `element ${index} of ${what}`;
    if (value === null) return "NULL";
    if (json) return quoted(encode(value, { what: place, limit: Infinity }));
    if (Array.isArray(value)) return literal(value, place, json);
    const bytes = bytesOf(value);
    const text = bytes ? hex(bytes) : scalar(value, place);
    if (text === undefined) throw refused(place, "an object");
    return quoted(text);
  });
  return `{${elements.join(",")}}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** Bytes in PostgreSQL's text format. */
export function hex(bytes: Uint8Array): string {
  return "\\x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function refused(what: string, value: string, advice?: string): TypeError {
  return new TypeError(
    `Cannot bind ${what}: ${value} cannot be stored${advice ? `. ${advice}` : ""}`,
  );
}
