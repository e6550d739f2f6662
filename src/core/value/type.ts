import { type Json, pathText } from "./json.ts";
import { isPromise, settled } from "./promise.ts";
import { callUserCode } from "./user_code.ts";

/** Why a schema refused a value, at one place of it. */
export interface Issue {
  /** What is wrong, in the words of the schema. */
  readonly message: string;
  /** Where: the keys that lead there, from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema answers: the value to be stored, or what is wrong with the one it was given. */
export type Validated<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** Says "this cannot be", as a sentence in the place of a type. */
export interface Mistake<Message extends string> {
  /** The sentence. */
  readonly "~mistake": Message;
}

/**
 * The shape of a value that is stored: an input of a workflow or an output of a step.
 *
 * It is a [Standard Schema](https://standardschema.dev), so that a schema of Zod, Valibot or
 * ArkType fits wherever {@linkcode type} does, and is then checked on the way in. It may turn the
 * value into another one, as a default does: `start` and `emit` take what it takes, steps get what
 * it puts out, which is what is stored. JSON must carry that.
 *
 * @example Use a schema in the place of a marker
 * ```ts
 * import { step, type Type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const positive: Type<number> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof value === "number" && value > 0
 *         ? { value }
 *         : { issues: [{ message: "expected a positive number" }] },
 *   },
 * };
 * const count = step("count", {
 *   events: { counted: positive },
 *   run: ({ emit }) => emit.counted(3),
 * });
 * assertEquals(count.events.counted, positive);
 * ```
 */
export interface Type<out T, out Given = T> {
  /** What the Standard Schema specification asks for. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<T> | Promise<Validated<T>>;
    readonly types?: { readonly input: Given; readonly output: T } | undefined;
  };
}

/** The type of the values that are stored, and that steps read. */
export type TypeOf<T> = T extends Type<infer U, unknown> ? U : never;

/** The type of the values that are handed in: a schema may turn them into others. */
export type GivenOf<T> = T extends Type<unknown, infer Given> ? Given : never;

/**
 * What JSON turns into something else, or drops.
 *
 * @internal
 */
type Unstorable =
  | Date
  | bigint
  | symbol
  | ((...args: never) => unknown)
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>;

/** `T`, with a {@linkcode Mistake} in the place of each member that JSON cannot carry. */
export type JsonSafe<T> = [T] extends [Json] ? T : unknown extends T ? T
: T extends string | number | boolean | null | undefined ? T
: T extends Unstorable ? Mistake<"JSON cannot carry this value">
: { readonly [K in keyof T]: JsonSafe<T[K]> };

/**
 * `true` for a type that JSON can carry, else `never`. Whoever asks whether it is `never` is not
 * told so of a type parameter.
 *
 * @internal
 */
export type Carried<T> = [T] extends [JsonSafe<T>] ? true : never;

/**
 * Why JSON cannot carry a type.
 *
 * @internal
 */
type Uncarried<T> = T extends Unstorable | readonly unknown[] ? "JSON cannot carry this value"
  : {
    [K in keyof T]-?: [Carried<T[K]>] extends [never]
      ? `JSON cannot carry this value: see its member '${K & string}'`
      : never;
  }[keyof T];

/**
 * The type of an input. A schema must put out what JSON can carry.
 *
 * @internal
 */
export type Input<In, Given = unknown> =
  & Type<In, Given>
  & ([Carried<In>] extends [never]
    ? Mistake<"JSON cannot carry the input: its schema must put out JSON">
    : unknown);

/** A value that has passed, as it is to be stored, or the reason why it has not. */
export type Checked = { readonly value: unknown } | { readonly problem: string };

const anything: Type<never> = Object.freeze({
  "~standard": Object.freeze({
    version: 1,
    vendor: "hephaestus",
    validate: (value: unknown) => ({ value: value as never }),
  }),
});

/** Marks an event that has no output. */
export function type(): Type<undefined>;
/**
 * Marks the shape of an input or of an output, without checking it at run time.
 *
 * A member that JSON cannot carry, such as a `Date`, does not compile. To check values too, put a
 * schema of Zod, Valibot or ArkType in the same place.
 *
 * @example Say what an event carries
 * ```ts
 * import { step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const charge = step("charge", {
 *   events: { charged: type<{ receipt: string }>(), declined: type() },
 *   run: ({ emit }) => emit.charged({ receipt: "r-1" }),
 * });
 * assertEquals(Object.keys(charge.events), ["charged", "declined"]);
 * ```
 */
export function type<T>(
  this: [Carried<T>] extends [never] ? Mistake<Uncarried<T>> : unknown,
): Type<T>;
export function type(): Type<never> {
  return anything;
}

/** Whether a value is a marker or a Standard Schema. */
export function isType(value: unknown): value is Type<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null &&
    typeof Reflect.get(standard, "validate") === "function";
}

/**
 * Checks a value on its way in. Without a type there is nothing to carry: only `undefined` passes.
 */
export function check(
  type: Type<unknown> | undefined,
  value: unknown,
): Checked | Promise<Checked> {
  if (type === undefined) {
    return value === undefined ? { value } : { problem: "expected no value" };
  }
  if (type === anything) return { value };
  const validated = callUserCode(() => type["~standard"].validate(value));
  return isPromise(validated) ? settled(validated).then(read) : read(validated);
}

function read(validated: Validated<unknown>): Checked {
  if (typeof validated !== "object" || validated === null) {
    return { problem: "the schema answered nothing" };
  }
  if (validated.issues === undefined) return { value: validated.value };
  const [first] = validated.issues;
  if (first === undefined) return { problem: "the schema refused the value without a reason" };
  const keys = (first.path ?? []).map((segment) =>
    typeof segment === "object" ? segment.key : segment
  );
  const place = keys.length === 0 ? "" : `at ${pathText(keys)}: `;
  const more = validated.issues.length - 1;
  return { problem: place + first.message + (more === 0 ? "" : ` (and ${more} more)`) };
}
