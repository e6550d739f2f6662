import { InvalidValueError, PayloadTooLargeError } from "../errors/value.ts";

/** A value that JSON can represent. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object whose members JSON can represent. */
export interface JsonObject {
  /** A member. */
  readonly [name: string]: Json;
}

/** The name of the value for error messages, and its maximum size in bytes. */
export interface EncodeOptions {
  readonly what: string;
  readonly limit: number;
}

const maxDepth = 200;
// Undefined members take no bytes, so a shared object full of them could keep the encoder busy
// almost forever.
const maxDropped = 1_000_000;
/** The size of a value is remembered if its JSON text has at least this many characters. */
const minimumWeight = 1_000;
const weights = new WeakMap<object, number>();
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const loneSurrogate = /\p{Surrogate}/u;
const identifier = /^[A-Za-z_$][\w$]*$/;

/**
 * Encodes a value as JSON text, or throws an error that says why it cannot. Never calls `toJSON`
 * and reads everything once, so that the checked value is the stored value. Members are in the
 * order in which PostgreSQL's jsonb returns them, so that a value is the same before and after it
 * is stored.
 *
 * Members that are undefined, not enumerable or named by a symbol are left out, and -0 becomes 0,
 * as in JSON.stringify. An undefined value has no text: the caller must store its absence.
 */
export function encode(value: unknown, options: EncodeOptions): string {
  const writer = new Writer(options);
  try {
    writer.write(value);
  } catch (error) {
    throw writer.refusal ?? writer.unreadable(error);
  }
  return writer.text;
}

/**
 * Parses JSON text. The value is frozen, because it may be shared. Members named `__proto__` are
 * left out: assigning them elsewhere would change a prototype.
 */
export function decode(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // The name may be written with escapes.
  if (isObject(value)) {
    freeze(value, text.includes("__proto__") || text.includes("\\u"));
    if (text.length >= minimumWeight) weights.set(value, text.length);
  }
  return value;
}

/**
 * The approximate size of a decoded value in characters of JSON text. Small values are not counted.
 */
export function weightOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  return isObject(value) ? weights.get(value) ?? 0 : 0;
}

/** A path within a value as text, for instance `items[3].when`. */
export function pathText(keys: readonly PropertyKey[]): string {
  let text = "";
  for (const key of keys) {
    if (typeof key === "number") text += `[${key}]`;
    else if (typeof key === "symbol" || !identifier.test(key)) {
      text += `[${JSON.stringify(String(key).slice(0, 100))}]`;
    } else text += text === "" ? key : `.${key}`;
    if (text.length > 200) return `${text.slice(0, 200)}...`;
  }
  return text;
}

/** Describes the kind of a value: `a Date`, `undefined`, `a function`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : `${value}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  try {
    const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
    if (typeof name === "string" && name !== "Object" && /^\w{1,60}$/.test(name)) {
      return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
    }
  } catch {
    // A proxy whose traps throw is still an object.
  }
  return "an object";
}

class Writer {
  text = "";
  refusal: InvalidValueError | PayloadTooLargeError | undefined;
  readonly #what: string;
  readonly #limit: number;
  readonly #path: (string | number)[] = [];
  readonly #ancestors: object[] = [];
  #size = 0;
  #dropped = 0;

  constructor({ what, limit }: EncodeOptions) {
    this.#what = what;
    this.#limit = limit;
  }

  write(value: unknown): void {
    if (typeof value === "string") this.#string(value, "contains");
    else if (typeof value === "number" && Number.isFinite(value)) this.#ascii(`${value}`);
    else if (typeof value === "boolean" || value === null) this.#ascii(`${value}`);
    else if (typeof value === "object") this.#nested(value);
    else this.#refuseKind(value);
  }

  unreadable(cause: unknown): InvalidValueError {
    return this.#invalid("cannot be read", { cause });
  }

  #nested(value: object): void {
    const isArray = Array.isArray(value);
    if (!isArray && !isPlain(value)) this.#refuseKind(value);
    if ("toJSON" in value && !isOwnData(value, "toJSON")) {
      this.#refuse("has a toJSON method: store what it returns instead");
    }
    if (this.#ancestors.includes(value)) this.#refuse("is circular, which JSON cannot represent");
    if (this.#ancestors.length === maxDepth) {
      this.#refuse(`is nested deeper than ${maxDepth} levels`);
    }
    this.#ancestors.push(value);
    if (isArray) this.#array(value);
    else this.#object(value);
    this.#ancestors.pop();
  }

  #array(items: readonly unknown[]): void {
    const { length } = items;
    this.#ascii("[");
    for (let index = 0; index < length; index++) {
      this.#path.push(index);
      if (index > 0) this.#ascii(",");
      this.write(items[index]);
      this.#path.pop();
    }
    this.#ascii("]");
    if (Object.keys(items).length !== length) {
      this.#refuse("is an array with holes or named members, which JSON cannot represent");
    }
  }

  #object(members: { readonly [name: string]: unknown }): void {
    let separator = "{";
    for (const name of ordered(Object.keys(members))) {
      if (name === "__proto__") this.#refuse('has a member named "__proto__", which is not safe');
      this.#path.push(name);
      const member = members[name];
      if (member === undefined) this.#drop();
      else {
        this.#ascii(separator);
        this.#string(name, "is a member whose name contains");
        this.#ascii(":");
        this.write(member);
        separator = ",";
      }
      this.#path.pop();
    }
    this.#ascii(separator === "{" ? "{}" : "}");
  }

  #string(value: string, contains: string): void {
    const quoted = value.length + 2;
    this.#reserve(quoted);
    if (plain.test(value)) {
      this.text += `"${value}"`;
      return;
    }
    if (value.includes("\0")) {
      this.#refuse(`${contains} the character U+0000, which PostgreSQL cannot store`);
    }
    if (loneSurrogate.test(value)) {
      this.#refuse(`${contains} a lone surrogate, which is not a character`);
    }
    const text = JSON.stringify(value);
    this.#reserve(byteLength(text) - quoted);
    this.text += text;
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    this.text += text;
  }

  #reserve(bytes: number): void {
    this.#size += bytes;
    if (this.#size <= this.#limit) return;
    const size = this.#size;
    this.refusal = new PayloadTooLargeError({ what: this.#what, size, limit: this.#limit });
    throw this.refusal;
  }

  #drop(): void {
    if (++this.#dropped > maxDropped) this.#refuse("has too many undefined members");
  }

  #refuseKind(value: unknown): never {
    this.#refuse(`is ${describe(value)}, which JSON cannot represent`);
  }

  #refuse(message: string): never {
    this.refusal = this.#invalid(message);
    throw this.refusal;
  }

  #invalid(message: string, options?: ErrorOptions): InvalidValueError {
    const problem = { path: pathText(this.#path), message };
    return new InvalidValueError({ what: this.#what, problems: [problem] }, options);
  }
}

function isPlain(value: object): value is { readonly [name: string]: unknown } {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // Objects from another realm (a vm context, a test runner) have their own Object.prototype.
  return typeof prototype === "object" && Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf");
}

function isOwnData(value: object, name: string): boolean {
  const own = Object.getOwnPropertyDescriptor(value, name);
  return own?.enumerable === true && "value" in own && typeof own.value !== "function";
}

/** The length in UTF-8 bytes of a text without lone surrogates. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}

function freeze(root: object, dropPrototypes: boolean): void {
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (dropPrototypes && Object.hasOwn(value, "__proto__")) {
      Reflect.deleteProperty(value, "__proto__");
    }
    for (const member of Object.values(value)) if (isObject(member)) open.push(member);
    Object.freeze(value);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Sorts member names in jsonb order: by length in bytes, then bytewise. */
function ordered(names: string[]): readonly string[] {
  for (let index = 1; index < names.length; index++) {
    if (compareNames(names[index - 1]!, names[index]!) > 0) return names.sort(compareNames);
  }
  return names;
}

function compareNames(left: string, right: string): number {
  const difference = byteLength(left) - byteLength(right);
  if (difference !== 0) return difference;
  let at = 0;
  while (at < left.length && left.charCodeAt(at) === right.charCodeAt(at)) at++;
  return place(left.charCodeAt(at)) - place(right.charCodeAt(at));
}

/**
 * Maps a code unit to its rank in UTF-8 byte order, where characters that UTF-16 writes as
 * surrogates come last.
 */
function place(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
