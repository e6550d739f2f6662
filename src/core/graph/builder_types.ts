import type { Step } from "../define/step.ts";
import type { Join } from "../define/target.ts";
import type {
  Clear,
  Explained,
  Listed,
  NameOf,
  Targets,
  TargetsOf,
} from "../define/target_types.ts";
import type { Mistake } from "../value/type.ts";
import type { Returns } from "./returns_types.ts";
import type { Workflow } from "./workflow.ts";

/**
 * A step that is the target of a row and has no row of its own yet.
 *
 * `unknown` stands for a kind of arrival that no row uses.
 */
export interface Pending<Name extends string, Any, All, Past = never> {
  /** Name of the step. */
  readonly name: Name;
  /** The names of the steps that have a path to it. */
  readonly past: Past;
  /** The facts that all plain and `first` arrivals have in common. */
  readonly any: Any;
  /** The union of the facts of all joined arrivals. */
  readonly all: All;
}

/**
 * The names of the steps that have no row yet.
 *
 * @internal
 */
type OpenNames<Open> = Open extends { readonly name: infer Name } ? Name & string : never;

/**
 * What is certain to have happened when the step starts.
 *
 * @internal
 */
type Certain<Open, Name> = Open extends Pending<infer N, infer Any, infer All, unknown>
  ? N extends Name ? Any & All & string : never
  : never;

/**
 * What may have happened before the step starts.
 *
 * @internal
 */
type PastOf<Open, Name> = Open extends { readonly name: Name; readonly past: infer Past } ? Past
  : never;

/** The events of a row that lead to `Name` with `join`. */
type Joining<Moves, Name> = {
  [K in keyof Moves & string]: Name extends NameOf<Extract<TargetsOf<Moves[K]>, Join>> ? K : never;
}[keyof Moves & string];

/** The events of a row that lead to `Name` without `join`. */
type NotJoining<Moves, Name> = {
  [K in keyof Moves & string]: Name extends NameOf<Exclude<TargetsOf<Moves[K]>, Join>> ? K : never;
}[keyof Moves & string];

/** The event, if the union has only one member. */
type Sole<Event, All = Event> = Event extends string ? [All] extends [Event] ? Event : never
  : never;

/**
 * What is certain after some events of a step: that it ended, and with which event if there is only
 * one. A row with a target for `failed` has an additional fact, so that other rows cost no more:
 * the step ended with one of its own events.
 */
type Behind<Before, Name extends string, Event, Moves> =
  | Before
  | ("failed" extends keyof Moves ? `${Name}.!` | ("failed" extends Event ? never : `${Name}.*`)
    : `${Name}.*`)
  | `${Name}.${Sole<Event>}`;

type Together<All, More> = unknown extends All ? More : All | More;

/** The new state of one target after a row. */
type Arrive<Target extends string, Any, All, Past, From extends string, Moves, Before> = Pending<
  Target,
  [NotJoining<Moves, Target>] extends [never] ? Any
    : Any & Behind<Before, From, NotJoining<Moves, Target>, Moves>,
  [Joining<Moves, Target>] extends [never] ? All
    : Together<All, Behind<Before, From, Joining<Moves, Target>, Moves>>,
  Past
>;

/**
 * The open steps after a row: the row's own step is closed and its targets are opened. `any` when a
 * name is not a literal, so that one mistake causes only one error.
 *
 * @internal
 */
type After<Open, From extends string, Moves, Before, Past> = unknown extends Open ? Open
  : [Targets<Moves>] extends [string] ? Moved<Open, From, Moves, Targets<Moves>, Before, Past>
  // deno-lint-ignore no-explicit-any -- nothing is known about the following rows
  : any;

type Moved<Open, From extends string, Moves, Names, Before, Past> =
  | (Open extends Pending<infer Name, infer Any, infer All, infer Other> ? Name extends From ? never
    : Name extends Names ? Arrive<Name, Any, All, Other | Past, From, Moves, Before>
    : Open
    : never)
  | Opened<Exclude<Names, OpenNames<Open>>, From, Moves, Before, Past>;

type Opened<Name, From extends string, Moves, Before, Past> = Name extends string
  ? Arrive<Name, unknown, unknown, Past, From, Moves, Before>
  : never;

/**
 * The step of a row, or an explanation of why the row is not allowed here.
 *
 * @internal
 */
export type RowStep<S extends Step, In, Open, Sealed extends string> = unknown extends Open ? S
  : S["name"] extends Sealed ? Mistake<`'${S["name"]}' already has its transitions`>
  : S["name"] extends OpenNames<Open>
    ? [S["~needs"]] extends [Certain<Open, S["name"]>] ? Readable<S, In, Open>
    : [Missing<S["~needs"], Certain<Open, S["name"]>>] extends [never] ? Readable<S, In, Open>
    : Mistake<
      `'${S["name"]}' needs '${
        & Missing<S["~needs"], Certain<Open, S["name"]>>
        & string}', which is not guaranteed on every path that reaches it`
    >
  : Mistake<`'${S["name"]}' is not the target of any transition above`>;

/** The needs that are not certain. A step that ended with an event of its own has settled. */
type Missing<Needs, Facts> = Exclude<
  Needs,
  Facts | (Facts extends `${infer Name}.*` ? `${Name}.!` : never)
>;

type Readable<S extends Step, In, Open> = [S["~sees"]] extends [PastOf<Open, S["name"]>]
  ? [In] extends [S["~input"]] ? S : Mistake<`'${S["name"]}' expects a different workflow input`>
  : Mistake<Unseen<S["name"], Exclude<S["~sees"], PastOf<Open, S["name"]>>>>;

type Unseen<Name extends string, Seen> = Seen extends string
  ? `'${Name}' sees '${Seen}', but no path leads from '${Seen}' to it`
  : never;

/**
 * The first step, or an explanation of why it cannot be first. A plain `Step` is accepted: such
 * workflows are built in a loop, which the compiler cannot check.
 *
 * @internal
 */
export type StartStep<S extends Step> = unknown extends S["events"] ? S
  : [Clear<S["name"]>] extends [string] ? S
  : Clear<S["name"]>;

/**
 * The transitions of a row, with each invalid one replaced by an explanation.
 *
 * @internal
 */
export type CheckedMoves<Moves, S extends Step, Open, Sealed extends string> = unknown extends Open
  ? unknown
  : [keyof Moves, keyof S["events"], Targets<Moves>] extends [
    keyof S["events"] | keyof S["~fails"],
    keyof Moves,
    string,
  ] ? [Targets<Moves> & (Sealed | S["name"]) | Listed<Moves[keyof Moves]>] extends [never] ? unknown
    : Explained<Moves, S, Sealed | S["name"], Certain<Open, S["name"]>, OpenNames<Open>>
  : Explained<Moves, S, Sealed | S["name"], Certain<Open, S["name"]>, OpenNames<Open>>;

/**
 * The deliveries that a step accepts from outside.
 *
 * @internal
 */
type DeliveriesOf<S> = S extends { readonly emit: infer Deliver }
  ? { [K in keyof Deliver]: Deliver[K] extends (...args: never) => infer D ? D : never }[
    keyof Deliver
  ]
  : never;

/**
 * A workflow under construction, row by row.
 *
 * `Open` are the steps that still need a row. `Sealed` are the names of the steps that have one.
 */
export interface WorkflowBuilder<
  Name extends string,
  In,
  Open,
  Sealed extends string,
  Deliveries,
  Given = In,
> {
  /** Adds the row of a step: where each of its events leads. */
  on<
    S extends Step,
    const Moves extends { readonly [K in keyof S["events"] | keyof S["~fails"]]?: unknown },
  >(
    step: RowStep<S, In, Open, Sealed>,
    moves: Moves & CheckedMoves<Moves, S, Open, Sealed>,
  ): WorkflowBuilder<
    Name,
    In,
    After<
      Open,
      S["name"],
      Moves,
      Certain<Open, S["name"]>,
      S["name"] | PastOf<Open, S["name"]>
    >,
    Sealed | S["name"],
    Deliveries | DeliveriesOf<S>,
    Given
  >;
  /**
   * Names what the workflow returns: `returns({ shipped: ship.when("shipped") })`. Available once
   * every step has a row.
   */
  readonly returns: [Open] extends [never] ? Returns<Name, In, Sealed, Deliveries, Given>
    : unknown extends Open ? Returns<Name, In, Sealed, Deliveries, Given>
    : Mistake<Unfinished<OpenNames<Open>>>;
  /** Completes the definition. Available once every step has a row. */
  readonly build: [Open] extends [never] ? () => Workflow<Name, In, Deliveries, Given>
    : unknown extends Open ? () => Workflow<Name, In, Deliveries, Given>
    : Mistake<Unfinished<OpenNames<Open>>>;
}

/** @internal */
type Unfinished<Name> = Name extends string ? `'${Name}' has no transitions: add .on(${Name}, ...)`
  : never;

/** The builder of a workflow without rows. */
export type FirstRow<Name extends string, In, S extends Step, Given = In> = WorkflowBuilder<
  Name,
  In,
  // deno-lint-ignore no-explicit-any -- the same as after a row whose targets are not literals
  [Clear<S["name"]>] extends [string] ? Pending<S["name"], never, unknown> : any,
  never,
  never,
  Given
>;
