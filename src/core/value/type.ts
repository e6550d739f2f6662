import { type Json, pathText } from "./json.ts";
import { andThen } from "./promise.ts";
import { callUserCode } from "./user_code.ts";

/** One reason why a schema rejected a value. */
export interface Issue {
  /** The message of the schema. */
  readonly message: string;
  /** The path to the problem: the keys from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of a schema: the value to store, or the problems with the given value. */
export type Validated<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** A type that stands for a mistake and explains it in the compiler's message. */
export interface Mistake<Message extends string> {
  /** The explanation. */
  readonly "~mistake": Message;
}

/**
 * The type of a stored value: the input of a workflow or the output of a step.
 *
 * It is a [Standard Schema](https://standardschema.dev), so a Zod, Valibot or ArkType schema can be
 * used wherever {@linkcode type} can. The schema then validates values before they are stored. It
 * may also transform them, for instance by adding defaults: `start` and `emit` take the schema's
 * input; its output is stored and passed to steps. The output must be valid JSON.
 *
 * @example Use a schema instead of a marker
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
  /** Required by the Standard Schema specification. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<T> | Promise<Validated<T>>;
    readonly types?: { readonly input: Given; readonly output: T } | undefined;
  };
}

/** The type of the stored values, which steps read. */
export type TypeOf<T> = T extends Type<infer U, unknown> ? U : never;

/** The type of the values that callers pass. A schema may transform them. */
export type GivenOf<T> = T extends Type<unknown, infer Given> ? Given : never;

/**
 * Types that JSON changes or drops.
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

/** `T`, with a {@linkcode Mistake} in the place of each member that JSON cannot represent. */
export type JsonSafe<T> = [T] extends [Json] ? T : unknown extends T ? T
: T extends string | number | boolean | null | undefined ? T
: T extends Unstorable ? Mistake<"JSON cannot represent this value">
: { readonly [K in keyof T]: JsonSafe<T[K]> };

/**
 * `true` for a type that JSON can represent, else `never`. Comparing it with `never` does not
 * reject a type parameter that is still open.
 *
 * @internal
 */
export type Carried<T> = [T] extends [JsonSafe<T>] ? true : never;

/**
 * Explains why JSON cannot represent a type.
 *
 * @internal
 */
type Uncarried<T> = T extends Unstorable | readonly unknown[] ? "JSON cannot represent this value"
  : {
    [K in keyof T]-?: [Carried<T[K]>] extends [never]
      ? `JSON cannot represent this value: see its member '${K & string}'`
      : never;
  }[keyof T];

/**
 * The type of an input. The output of a schema must be valid JSON.
 *
 * @internal
 */
export type Input<In, Given = unknown> =
  & Type<In, Given>
  & ([Carried<In>] extends [never]
    ? Mistake<"JSON cannot represent the input: its schema must output JSON">
    : unknown);

/** A validated value, ready to be stored, or the reason why it is invalid. */
export type Checked = { readonly value: unknown } | { readonly problem: string };

const anything: Type<never> = Object.freeze({
  "~standard": Object.freeze({
    version: 1,
    vendor: "hephaestus",
    validate: (value: unknown) => ({ value: value as never }),
  }),
});

/** Declares an event without output. */
export function type(): Type<undefined>;
/**
 * Declares the type of an input or an output, without validating it at run time.
 *
 * A member that JSON cannot represent, such as a `Date`, does not compile. To validate values as
 * well, pass a Zod, Valibot or ArkType schema instead.
 *
 * @example Declare the outputs of events
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

/** Whether a value is a Standard Schema. The result of `type()` is one too. */
export function isType(value: unknown): value is Type<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null &&
    typeof Reflect.get(standard, "validate") === "function";
}

/** Validates a value before it is stored. Without a type, only `undefined` is valid. */
export function check(
  type: Type<unknown> | undefined,
  value: unknown,
): Checked | Promise<Checked> {
  if (type === undefined) {
    return value === undefined ? { value } : { problem: "expected no value" };
  }
  if (type === anything) return { value };
  const validated = callUserCode(() => type["~standard"].validate(value));
  return andThen(validated, read);
}

function read(validated: Validated<unknown>): Checked {
  if (typeof validated !== "object" || validated === null) {
    return { problem: "the schema returned nothing" };
  }
  if (validated.issues === undefined) return { value: validated.value };
  const [first] = validated.issues;
  if (first === undefined) {
    return { problem: "the schema rejected the value without giving a reason" };
  }
  const keys = (first.path ?? []).map((segment) =>
    typeof segment === "object" ? segment.key : segment
  );
  const place = keys.length === 0 ? "" : `at ${pathText(keys)}: `;
  const more = validated.issues.length - 1;
  return { problem: place + first.message + (more === 0 ? "" : ` (and ${more} more)`) };
}
