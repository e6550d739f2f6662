import type { Mistake, TypeOf } from "../value/type.ts";
import type { Step } from "./step.ts";
import type { Again, Done, Undo } from "./target.ts";

/** The targets of an event. Of one that leads back: where it leads after the last round. */
export type TargetsOf<M> = M extends readonly (infer T)[]
  ? M extends readonly [Done, OfDrop, ...unknown[]] ? never : T
  : M extends { readonly kind: "done" | "again" | "undo" }
    ? M extends { readonly then?: infer Then } ? TargetsOf<Then> : never
  : M;

/** A branch that is dropped, known by its kind alone: it is cheap to compare. */
interface OfDrop {
  readonly kind: "drop";
}

/** The name of the step that a target leads to, or an explanation of the mistake. */
export type NameOf<T> = T extends { readonly "~needs": unknown; readonly name: infer Name }
  ? Clear<Name>
  : T extends { readonly kind: "again" } ? Mistake<"again must be the only target">
  : T extends OfDrop ? never
  : T extends { readonly step: { readonly name: infer Name } } ? Clear<Name>
  : T extends Undo ? Mistake<"undo must be the only target">
  : T extends Done ? Mistake<"done ends a path, and only drop may stand beside it">
  : Mistake<"it is not a step">;

/**
 * A name that is a single literal type, or an explanation of the mistake.
 *
 * @internal
 */
export type Clear<Name, All = Name> = string extends Name
  ? Mistake<"this step's name is any string: make the helper generic">
  : Name extends unknown ? [All] extends [Name] ? Name
    : Mistake<"this step's name is a union: make the helper generic">
  : never;

/** The names of all targets of a row. */
export type Targets<Moves> = NameOf<TargetsOf<Moves[keyof Moves]>>;

/** The transitions of a row with explanations of what is wrong. */
export type Explained<Moves, S extends Step, Above, Facts, Open> = ExplainedOf<
  Moves,
  S["name"],
  S["events"],
  S["~fails"],
  Above,
  Facts | `${S["name"]}.*`,
  Open
>;

type ExplainedOf<Moves, Name extends string, Events, Fails, Above, Facts, Open> =
  & {
    readonly [K in keyof Moves]: K extends keyof Events | keyof Fails
      ? Moves[K] extends Again<infer Head, infer Then> ? LedBack<
          Head["name"],
          Head["~round"],
          K extends keyof Events ? TypeOf<Events[K]> : Fails[K & keyof Fails],
          Then,
          `${Name}.${K & string}`,
          Above,
          Facts
        >
      : [DroppedNames<Moves[K]>] extends [never] ? Led<Moves[K], `${Name}.${K & string}`, Above>
      : Moves[K] extends OfDrop | readonly OfDrop[] ? Mistake<
          `event '${Name}.${K & string}' only drops: write [done, drop(...)] to end the path`
        >
      : LedDropping<Moves[K], `${Name}.${K & string}`, Above, Facts, Open>
      : K extends "failed" ? Mistake<`'${Name}' cannot fail: only a step has attempts to use up`>
      : Mistake<`'${Name}' never emits '${K & string}'`>;
  }
  & ([Exclude<keyof Events, keyof Moves>] extends [never] ? unknown
    : Mistake<Forgotten<Name, Exclude<keyof Events, keyof Moves>>>);

type Forgotten<Name extends string, Event> = Event extends string
  ? string extends Event
    ? `the events of '${Name}' are unknown to the compiler: write them as a literal`
  : `event '${Name}.${Event}' has no target: use done to end the path`
  : never;

/** The target of one event, or an explanation of the mistake. */
type Led<M, Event extends string, Above> = NameOf<TargetsOf<M>> extends infer Names
  ? [Names] extends [string] ? [Names & Above | Listed<M>] extends [never] ? unknown
    : [Names & Above] extends [never] ? Mistake<`event '${Event}' leads to ${Listed<M> & string}`>
    : Mistake<`'${Names & Above & string}' comes earlier: use again(...) to go back to it`>
  : Names extends Mistake<infer Why>
    ? Why extends `this${string}` ? Names : Mistake<`event '${Event}' leads nowhere: ${Why}`>
  : never
  : never;

/** The names of the branches that an event drops. */
type DroppedNames<M> = M extends readonly (infer T)[] ? DroppedNames<T>
  : M extends OfDrop & { readonly step: { readonly name: infer Name } } ? Clear<Name>
  : never;

/** The targets of a list without what it drops. */
type Kept<M> = M extends readonly [infer Head, ...infer Rest]
  ? Head extends OfDrop ? Kept<Rest> : readonly [Head, ...Kept<Rest>]
  : readonly [];

/** The targets of an event that drops branches, or an explanation of the mistake. */
type LedDropping<M, Event extends string, Above, Facts, Open> = [DroppedNames<M>] extends [string]
  ? [DroppedNames<M>] extends [Above | Open]
    ? [DroppedNames<M> & EndedIn<Facts>] extends [never]
      ? Kept<M> extends readonly [Done] ? unknown : Led<Kept<M>, Event, Above>
    : Mistake<
      `event '${Event}' drops '${DroppedNames<M> & EndedIn<Facts> & string}', which it comes from`
    >
  : [DroppedNames<M> & NameOf<TargetsOf<M>>] extends [never] ? Mistake<
      `event '${Event}' drops '${
        & Exclude<DroppedNames<M>, Above | Open>
        & string}', which is not the target of any transition above`
    >
  : Mistake<
    `event '${Event}' drops '${DroppedNames<M> & NameOf<TargetsOf<M>> & string}' and leads to it`
  >
  : Mistake<
    `event '${Event}' drops nothing: ${DroppedNames<M> extends Mistake<infer Why> ? Why : never}`
  >;

/** The steps that have certainly ended. */
type EndedIn<Facts> = Facts extends `${infer Name}.!` | `${infer Name}.*` ? Name : never;

/** A loop whose first step has certainly ended, or an explanation of the mistake. */
type LedBack<Head extends string, Round, Output, Then, Event extends string, Above, Facts> =
  [Clear<Head>] extends [string]
    ? [Head] extends [Above]
      ? [Extract<Facts, `${Head}.*` | `${Head}.!`>] extends [never] ? Mistake<
          `event '${Event}' leads back to '${Head}', which has not ended on every path to it`
        >
      : [Round] extends [never] ? LedOn<Then, Event, Above>
      : [Output] extends [Round] ? LedOn<Then, Event, Above>
      : Mistake<`event '${Event}' does not carry what '${Head}' takes back in its rounds`>
    : Mistake<`event '${Event}' leads back to '${Head}', which does not come earlier`>
    : Mistake<
      `event '${Event}' leads back nowhere: ${Clear<Head> extends Mistake<infer Why> ? Why : never}`
    >;

/** Where a loop leads after its last round, or an explanation of the mistake. */
type LedOn<Then, Event extends string, Above> = Led<Then, Event, Above> extends infer Why
  ? unknown extends Why ? unknown : { readonly then?: Why }
  : never;

/**
 * Explains what is wrong with a list of targets as a whole. It names loops and drops too, so that
 * they are checked.
 */
export type Listed<M> = M extends readonly [] ? "an empty list"
  : M extends { readonly kind: "again" | "drop" } ? "a loop or a drop"
  : Twice<M>;

type Twice<M> = M extends readonly [infer Head, ...infer Rest] ? Head extends OfDrop ? "a drop"
  : NameOf<Head> extends NameOf<Rest[number]> ? `'${NameOf<Head> & string}' twice`
  : Twice<Rest>
  : never;
