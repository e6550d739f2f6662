import type { Step } from "./step.ts";
import type { Done, First, Join, Move } from "./target.ts";
import type { Mistake } from "./type.ts";
import type { Workflow } from "./workflow.ts";

/**
 * A step that a row points at and that has no row yet.
 *
 * `unknown` stands for a way in that nobody uses.
 */
export interface Pending<Name extends string, Any, All> {
  /** Name of the step. */
  readonly name: Name;
  /** The facts that plain and `first` arrivals agree on. */
  readonly any: Any;
  /** The facts that joined arrivals bring together. */
  readonly all: All;
}

/**
 * The names of the steps that have no row yet.
 *
 * @internal
 */
type OpenNames<Open> = Open extends Pending<infer Name, infer _Any, infer _All> ? Name : never;

/**
 * What is certain when the step starts.
 *
 * @internal
 */
type Certain<Open, Name> = Open extends Pending<infer N, infer Any, infer All>
  ? N extends Name ? Any & All & string : never
  : never;

type TargetsOf<M> = M extends readonly (infer T)[] ? T : M extends Done ? never : M;

/** A name that the compiler knows: one that is only `string` proves nothing. */
type Known<Name> = Name extends string ? string extends Name ? never : Name : never;

type NameOf<T> = Known<
  T extends Join<infer S> | First<infer S> ? S["name"]
    : T extends { readonly name: infer Name } ? Name
    : never
>;

/** The names of all steps that a row points at. */
type Targets<Moves> = { [K in keyof Moves]: NameOf<TargetsOf<Moves[K]>> }[keyof Moves];

/** The events of a row that arrive at `Name` by `join`. */
type Joining<Moves, Name> = {
  [K in keyof Moves & string]: Name extends NameOf<Extract<TargetsOf<Moves[K]>, Join>> ? K : never;
}[keyof Moves & string];

/** The events of a row that arrive at `Name` in another way. */
type Entering<Moves, Name> = {
  [K in keyof Moves & string]: Name extends NameOf<Exclude<TargetsOf<Moves[K]>, Join>> ? K : never;
}[keyof Moves & string];

/** The one event of a union of one. */
type Sole<Event, All = Event> = Event extends string ? [All] extends [Event] ? Event : never
  : never;

/** What is certain behind some events of a step: that it ended, and how if there is one event. */
type Behind<Before, Name extends string, Event> =
  | Before
  | `${Name}.*`
  | `${Name}.${Sole<Event>}`;

type Together<All, More> = unknown extends All ? More : All | More;

/** What a row changes for one of its targets. */
type Arrive<Target extends string, Any, All, From extends string, Moves, Before> = Pending<
  Target,
  [Entering<Moves, Target>] extends [never] ? Any
    : Any & Behind<Before, From, Entering<Moves, Target>>,
  [Joining<Moves, Target>] extends [never] ? All
    : Together<All, Behind<Before, From, Joining<Moves, Target>>>
>;

/**
 * The open steps after a row: its own step is closed, its targets are open.
 *
 * @internal
 */
type After<Open, From extends string, Moves, Before> =
  | (Open extends Pending<infer Name, infer Any, infer All> ? Name extends From ? never
    : Name extends Targets<Moves> ? Arrive<Name, Any, All, From, Moves, Before>
    : Open
    : never)
  | Opened<Exclude<Targets<Moves>, OpenNames<Open>>, From, Moves, Before>;

type Opened<Name, From extends string, Moves, Before> = Name extends string
  ? Arrive<Name, unknown, unknown, From, Moves, Before>
  : never;

/**
 * The step of a row, or the reason why the row cannot stand here.
 *
 * @internal
 */
export type Ready<S extends Step, In, Open, Sealed extends string> = S["name"] extends Sealed
  ? Mistake<`'${S["name"]}' already has its transitions`>
  : S["name"] extends OpenNames<Open>
    ? [S["~needs"]] extends [Certain<Open, S["name"]>]
      ? [S["~sees"]] extends [Sealed] ? [In] extends [S["~input"]] ? S
        : Mistake<`'${S["name"]}' expects a different workflow input`>
      : Mistake<`'${S["name"]}' sees '${Exclude<S["~sees"], Sealed>}', which does not come earlier`>
    : Mistake<
      `'${S["name"]}' needs '${
        & Exclude<S["~needs"], Certain<Open, S["name"]>>
        & string}', which is not certain on every path that reaches it`
    >
  : Mistake<`'${S["name"]}' is not the target of any transition above`>;

/**
 * The transitions of a row, each wrong one replaced by the reason.
 *
 * @internal
 */
export type Checked<Moves, S extends Step, Sealed extends string> = {
  readonly [K in keyof Moves]: K extends keyof S["events"]
    ? [NameOf<TargetsOf<Moves[K]>> & (Sealed | S["name"])] extends [never] ? unknown
    : Mistake<
      `'${
        & NameOf<TargetsOf<Moves[K]>>
        & (Sealed | S["name"])}' comes earlier: a workflow has no cycles`
    >
    : Mistake<`'${S["name"]}' never emits '${K & string}'`>;
};

/**
 * The deliveries that a step takes from outside.
 *
 * @internal
 */
type DeliveriesOf<S> = S extends { readonly emit: infer Deliver }
  ? { [K in keyof Deliver]: Deliver[K] extends (...args: never) => infer D ? D : never }[
    keyof Deliver
  ]
  : never;

/**
 * A workflow that is being written, row by row.
 *
 * `Open` are the steps that wait for their row, `Sealed` the names of those that have it.
 */
export interface WorkflowBuilder<
  Name extends string,
  In,
  Open,
  Sealed extends string,
  Deliveries,
> {
  /** Adds the row of one step: where each of its events leads. */
  on<S extends Step, const Moves extends { readonly [K in keyof S["events"]]: Move }>(
    step: Ready<S, In, Open, Sealed>,
    moves: Moves & Checked<Moves, S, Sealed>,
  ): WorkflowBuilder<
    Name,
    In,
    After<Open, S["name"], Moves, Certain<Open, S["name"]>>,
    Sealed | S["name"],
    Deliveries | DeliveriesOf<S>
  >;
  /** Ends the definition, once every step has its row. */
  readonly build: [Open] extends [never] ? () => Workflow<Name, In, Deliveries>
    : Mistake<`'${OpenNames<Open>}' has no transitions`>;
}

/** The builder of a workflow without any row. */
export type FirstRow<Name extends string, In, S extends Step> = WorkflowBuilder<
  Name,
  In,
  Pending<S["name"], never, unknown>,
  never,
  never
>;
