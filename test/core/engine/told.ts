import { type Activation, activationKey } from "../../../src/core/engine/activation.ts";
import { fold, type FoldedEntry } from "../../../src/core/engine/by_hand/fold.ts";
import { restart, startedAgain, unused } from "../../../src/core/engine/by_hand/restart.ts";
import { takeBack } from "../../../src/core/engine/by_hand/taken_back.ts";
import {
  awaitedActivation,
  emptyControl,
  encodeControl,
  isActive,
} from "../../../src/core/engine/control.ts";
import { advance, goOn, open } from "../../../src/core/engine/engine.ts";
import type { Control } from "../../../src/core/engine/instance.ts";
import {
  type AppliedEnding,
  byHand,
  type Decide,
  DROPPED,
  FAILED,
  LATER,
  type Progress,
  RETRIED,
  REWOUND,
  type StepEnding,
} from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { atRandom } from "../graph/proof/executor.ts";
import type { Pick } from "../graph/proof/random_graphs.ts";

/** The order of a turn's rows in a history says nothing of the order in which they were applied. */
function shuffled<T>(all: readonly T[], pick: Pick): T[] {
  const left = [...all];
  return all.map(() => left.splice(pick(left.length), 1)[0]!);
}

/** The state without kept deliveries, whose rows have not been applied. */
export function shown(control: Control): string {
  const sorted = <T>(of: Iterable<T>) => [...of].sort();
  return encodeControl({
    ...control,
    early: new Set(),
    active: new Map(sorted(control.active)),
    activations: new Map(sorted(control.activations)),
    rounds: new Map(sorted(control.rounds)),
    restarted: new Map(sorted(control.restarted)),
    arrived: new Map(sorted(control.arrived)),
    begun: new Set(sorted(control.begun)),
    dropped: new Set(sorted(control.dropped)),
    later: new Set(sorted(control.later)),
    metadata: new Map(sorted(control.metadata)),
    past: new Map(sorted(control.past).map(([step, past]) => [step, sorted(past)])),
  });
}

/** An instance with its history, run at random. */
export class Told {
  readonly history: FoldedEntry[] = [];
  readonly #workflow: Workflow;
  readonly #pick: Pick;
  #revision = 0;
  #unread: readonly StepEnding[] = [];
  #choices;
  /** The choice that throws. */
  #broken = "";
  retries = 0;
  rewinds = 0;
  /** Every activation that has ever started. */
  readonly #ever = new Set<string>();
  #before: Control | undefined;

  constructor(workflow: Workflow, pick: Pick) {
    this.#workflow = workflow;
    this.#pick = pick;
    this.#choices = atRandom(workflow, pick(2 ** 30));
  }

  readonly #decide: Decide = ({ step, activation }) => {
    if (step === this.#broken) throw new Error("The choice is broken");
    return { event: this.#choices(step, activation), output: undefined, metadata: undefined };
  };

  open(): Progress {
    return this.#write(open(this.#workflow.graph, this.#decide), []);
  }

  /** Ends some active steps, of which one may fail, and delivers to waits that have not begun. */
  advance(control: Control): Progress {
    const { graph } = this.#workflow;
    const pick = this.#pick;
    const active = [...control.active].map(([step, { activation }]) => ({ step, activation }));
    const some = active.filter(() => pick(2) === 0);
    const ends = (some.length > 0 ? some : active).map((one) => this.#ending(one, control));
    const [victim] = pick(6) > 0
      ? []
      : ends.filter(({ step, event }) => this.#kind(step) === "step" && event !== LATER);
    const choices = [...graph.steps.keys()].filter((step) => this.#kind(step) === "choice");
    this.#broken = pick(4) === 0 ? choices[pick(choices.length)] ?? "" : "";
    const early = [...graph.steps.values()].filter(({ name, kind }) =>
      kind === "signal" && pick(4) === 0 && !control.active.has(name)
    ).map(({ name }) => ({ step: name, activation: awaitedActivation(graph, control, name) }))
      .filter((one) => this.#isFree(one)).map((one) => this.#ending(one, control));
    const given = [...this.#unread, ...early].filter((one) => !isActive(control, one));
    const waiting = this.#unread.filter((one) =>
      isActive(control, one) && !ends.some(({ step }) => step === one.step)
    );
    const all = [...ends.map((one) => one === victim ? failed(one) : one), ...given, ...waiting];
    const progress = advance(graph, control, all, this.#decide);
    this.#before = control;
    return this.#write(progress, all);
  }

  /** What the control must be after a turn that has failed: the turn without what failed in it. */
  without(control: Control, { applied }: Progress): Control {
    const endings = applied.map(({ ending }) => ending)
      .filter(({ step, event }) => this.#kind(step) !== "choice" && event !== FAILED);
    const broken = this.#broken;
    this.#broken = "";
    let over = false;
    const decide: Decide = (choice, ended) => {
      over ||= choice.step === broken;
      return over ? undefined : this.#decide(choice, ended);
    };
    return advance(this.#workflow.graph, control, endings, decide).control;
  }

  retry(control: Control): Progress {
    const pick = this.#pick;
    const restarted = this.#restarts(control);
    this.#choices = atRandom(this.#workflow, pick(2 ** 30));
    const progress = restart(this.#workflow.graph, control, restarted, this.#decide);
    const output = { restarted: restarted.map(activationKey) };
    const act = { step: byHand, activation: ++this.retries, event: RETRIED, output };
    const still = new Set(
      restarted.filter(({ step }) => this.#kind(step) !== "choice").map(({ step }) => step),
    );
    this.#before = {
      ...control,
      active: new Map([...control.active].filter(([step]) => !still.has(step))),
    };
    return this.#write(progress, [], act);
  }

  /** What starts again in an instance that has failed. */
  #restarts(control: Control): readonly Activation[] {
    const pick = this.#pick;
    return [...control.active].flatMap(([step, { activation }]) => {
      if (this.#kind(step) === "choice") return [{ step, activation }];
      const ran = this.history.filter((one) => one.step === step).map((one) => one.activation);
      const isFree = this.history.every((one) => one.step !== step || one.event !== FAILED);
      if (control.later.has(step) || (isFree && pick(3) === 0)) return [];
      return [{ step, activation: Math.max(activation, ...ran) + 1 + pick(2) }];
    });
  }

  /** Goes back to something that is there; sometimes the step is given an outcome. */
  rewind(before: Control, hasFailed: boolean): Progress | undefined {
    const { graph } = this.#workflow;
    const pick = this.#pick;
    this.rewinds++;
    const past = fold(graph, this.history);
    const running = [...before.active].map(([step, { activation }]) => ({ step, activation }));
    const there = [...past.applied.map(({ ending }) => ending), ...running];
    const to = there[pick(there.length)]!;
    const back = takeBack(graph, before, past, to);
    if (back === undefined) return undefined;
    const active = new Map([...back.control.active].filter(([step]) => !back.again.includes(step)));
    const started = [
      ...unused(graph, back.control, back.again, [...this.history, ...this.#unread]),
      ...hasFailed ? this.#restarts({ ...back.control, active }) : [],
    ];
    const control = startedAgain(graph, back.control, started, back.fresh);
    const fromScratch = scratch(this.#workflow, back.applied);
    if (places(control) !== places(fromScratch)) {
      throw new Error(`${places(control)}, and not ${places(fromScratch)}`);
    }
    this.#choices = atRandom(this.#workflow, pick(2 ** 30));
    const at = started.find(({ step }) => step === to.step)!;
    const isChoice = this.#kind(to.step) === "choice";
    const event = this.#choices(at.step, at.activation);
    const given = isChoice || pick(2) === 0 ? [] : [{ ...plain(at), event }];
    const waiting = this.#unread.filter((one) => back.control.early.has(activationKey(one)));
    const progress = goOn(graph, control, started, given, this.#decide);
    const output = { to: activationKey(to), restarted: started.map(activationKey) };
    const act = { step: byHand + to.step, activation: at.activation, event: REWOUND, output };
    this.#before = {
      ...before,
      active: new Map(
        [...before.active].filter(([step]) => !started.some((one) => one.step === step)),
      ),
    };
    this.#write(progress, given, act, back.withdrawn);
    this.#unread = waiting.filter((one) => progress.control.early.has(activationKey(one)));
    return progress;
  }

  dice(sides: number): number {
    return this.#pick(sides);
  }

  #kind(step: string) {
    return this.#workflow.graph.steps.get(step)?.kind;
  }

  /** No activation starts twice. */
  #check({ control, started, applied }: Progress): void {
    const was = this.#before ?? emptyControl;
    const now = [
      ...[...control.active].map(([step, { activation }]) => ({ step, activation })),
      ...applied.map(({ ending }) => ending).filter(({ event }) => event !== LATER),
      ...started,
    ];
    const fresh = new Set(now.filter((one) => !isActive(was, one)).map(activationKey));
    for (const key of fresh) {
      if (this.#ever.has(key)) throw new Error(`"${key}" starts a second time`);
      this.#ever.add(key);
    }
    this.#before = undefined;
  }

  #isFree(one: Activation): boolean {
    const key = activationKey(one);
    return ![...this.history, ...this.#unread].some((other) => activationKey(other) === key);
  }

  #ending(one: Activation, control: Control): StepEnding {
    const pick = this.#pick;
    const isAsynchronous = this.#workflow.graph.steps.get(one.step)!.asynchronous;
    const waits = this.#kind(one.step) === "step" && isAsynchronous &&
      !control.later.has(one.step) && pick(2) === 0;
    const metadata = pick(3) === 0 ? { [one.step]: one.activation } : undefined;
    return {
      ...one,
      event: waits ? LATER : this.#choices(one.step, one.activation),
      output: undefined,
      metadata: waits ? undefined : metadata,
    };
  }

  #write(
    progress: Progress,
    given: readonly StepEnding[],
    act?: Omit<FoldedEntry, "metadata" | "revision">,
    withdrawn: readonly Activation[] = [],
  ) {
    this.#check(progress);
    const nothing = { output: undefined, metadata: undefined, revision: ++this.#revision };
    const rows = [
      ...(act === undefined ? [] : [{ ...nothing, ...act }]),
      ...progress.applied.map(({ ending }) => ({ ...nothing, ...ending })),
      ...[...withdrawn, ...progress.withdrawn].map(({ step, activation }) => ({
        ...{ ...nothing, step, activation, event: DROPPED },
      })),
    ];
    this.history.push(...shuffled(rows, this.#pick));
    const kept = new Set(progress.kept.map(activationKey));
    this.#unread = [...this.#unread, ...given].filter((one) => kept.has(activationKey(one)));
    return progress;
  }
}

function plain(at: Activation): StepEnding {
  return { ...at, event: "", output: undefined, metadata: undefined };
}

/** Where an instance stands that has only these results, under activations of its own. */
function scratch({ graph }: Workflow, applied: readonly AppliedEnding[]): Control {
  let { control } = open(graph, () => undefined);
  for (const { ending } of applied) {
    const entry = control.active.get(ending.step);
    // The row of a wait has no causes, so it stays when its step is taken back after it was cut off.
    if (entry === undefined && ending.event === LATER) continue;
    const { activation } = entry!;
    ({ control } = advance(graph, control, [{ ...ending, activation }], () => undefined));
  }
  return control;
}

/** The steps that are active or have begun something, without activations. */
function places({ active, arrived, begun, dropped }: Control): string {
  const names = (of: Iterable<string>) => [...of].sort().join(" ");
  const counts = [...arrived].map(([step, times]) => `${step}*${times}`);
  return [names(active.keys()), names(counts), names(begun), names(dropped)].join("; ");
}

export function failed(ending: StepEnding): StepEnding {
  return { ...ending, event: FAILED, metadata: undefined };
}
