import { failedEvent } from "../define/step_definition.ts";
import { type Activation, activationKey } from "../engine/activation.ts";
import { causesOf, isActive } from "../engine/control.ts";
import type { ControlDraft } from "../engine/draft.ts";
import { type Decide, FAILED, type StepEnding } from "../engine/progress.ts";
import type { TurnLog } from "../engine/turn_log.ts";
import { HephaestusError } from "../errors/base.ts";
import { type Graph, row } from "../graph/graph.ts";
import { filled, hasFailed, isDone, left, noneBegun, oneEnded } from "./counts.ts";
import { eachAt, itemAt, mostActivations } from "./items.ts";

/** What the steps over lists do in one turn of one instance. */
export class EachTurn {
  readonly #graph: Graph;
  readonly #draft: ControlDraft;
  readonly #log: TurnLog;
  readonly #decide: Decide;
  /** Steps that begin, and steps of which items have ended. */
  readonly #due: Activation[] = [];
  readonly #ended = new Set<string>();

  constructor(graph: Graph, draft: ControlDraft, log: TurnLog, decide: Decide) {
    this.#graph = graph;
    this.#draft = draft;
    this.#log = log;
    this.#decide = decide;
  }

  /** A step that has started. */
  start(one: Activation): void {
    this.#due.push(one);
  }

  /** A step that starts again: what has ended without a failure is not run again. */
  restart(one: Activation): void {
    const counts = this.#draft.each.get(one.step);
    if (counts !== undefined) this.#draft.count(one.step, left(counts));
    this.#due.push(one);
  }

  /** An item that has ended. The next ones begin when all results of the turn are counted. */
  end(ending: StepEnding): void {
    const one = eachAt(ending);
    const counts = this.#draft.each.get(one.step);
    const key = activationKey(ending);
    if (counts === undefined || this.#ended.has(key)) {
      this.#log.late.push(ending);
      return;
    }
    this.#ended.add(key);
    const causes = causesOf(this.#graph, this.#draft, one.step);
    this.#log.applied.push({ ending, causes, decided: false });
    this.#draft.count(one.step, oneEnded(counts, ending.event === failedEvent));
    if (!this.#due.some(({ step }) => step === one.step)) this.#due.push(one);
  }

  /** The next step that begins, begins more items, or ends. */
  next(): Activation | undefined {
    if (this.#due.length > 1) {
      this.#due.sort((a, b) => row(this.#graph, a.step) - row(this.#graph, b.step));
    }
    for (let one = this.#due.shift(); one !== undefined; one = this.#due.shift()) {
      if (isActive(this.#draft, one)) return one;
    }
    return undefined;
  }

  /** Begins items. Returns how the step has ended, unless items of it still run. */
  run(one: Activation): Omit<StepEnding, "step" | "activation"> | undefined {
    const { step, activation } = one;
    const counts = this.#draft.each.get(step) ?? this.#list(one);
    const node = this.#graph.steps.get(step);
    if (counts === undefined || node?.items === undefined) return undefined;
    if (activation > mostActivations) throw tooOften(one);
    const now = filled(counts, node.items);
    this.#draft.count(step, now);
    for (let place = counts.begun; place < now.begun; place++) this.#log.start(itemAt(one, place));
    if (!isDone(now, node.items)) return undefined;
    const failed = node.moves.has(failedEvent) ? failedEvent : FAILED;
    const event = hasFailed(now, node.items) ? failed : "finished";
    return this.#decide(one, this.#log.ended(), { event, counts: now });
  }

  /** Asks for the number of items. */
  #list(one: Activation) {
    const listed = this.#decide(one, this.#log.ended());
    if (listed === undefined) return undefined;
    const total = listed.output as number;
    this.#log.listed.push({ ...one, total });
    return noneBegun(total);
  }
}

function tooOften({ step }: Activation): HephaestusError {
  return new HephaestusError(
    "INVALID_ITEMS",
    `Cannot run the items of each "${step}": it has run ${mostActivations} times, and its items have no numbers left`,
  );
}
