import type { Graph } from "../../../src/core/graph/graph.ts";
import type { InstanceStatus } from "../../../src/core/engine/instance.ts";

/** What is known of one run so far: nothing of when or in which order it came. */
export interface Facts {
  /** The event of every step that has said how it ended, in time or too early. */
  readonly ended: ReadonlyMap<string, string>;
  /** Asynchronous steps whose code has ended without an outcome. */
  readonly later: ReadonlySet<string>;
  /** The event of every choice; `undefined` where its code throws. */
  readonly decided: ReadonlyMap<string, string | undefined>;
}

/** Where an instance must stand. */
export interface Expected {
  /** Steps that have ended, choices among them. */
  readonly applied: ReadonlySet<string>;
  readonly active: ReadonlySet<string>;
  /** Steps that end the run: a choice that throws, or an event that leads nowhere. */
  readonly failing: ReadonlySet<string>;
  readonly status: InstanceStatus;
}

/**
 * Where an instance stands, computed from nothing but the set of facts: a step has started when an arrival of it has
 * happened, an arrival has happened when its step has started and ended with its event. Repeated until nothing is added.
 */
export function expected(graph: Graph, { ended, later, decided }: Facts): Expected {
  const eventOf = (step: string) =>
    graph.steps.get(step)?.kind === "choice" ? decided.get(step) : ended.get(step);
  const started = new Set([graph.start]);
  const arrives = (from: string, to: string, join: boolean): boolean => {
    const event = started.has(from) ? eventOf(from) : undefined;
    const moves = event === undefined ? undefined : graph.steps.get(from)?.moves.get(event);
    return moves?.some((move) => move.to === to && (move.mode === "join") === join) ?? false;
  };
  for (let size = 0; size < started.size;) {
    size = started.size;
    for (const { name, sources } of graph.steps.values()) {
      const joined = sources.length > 0 && sources.every((from) => arrives(from, name, true));
      if (joined || [...graph.steps.keys()].some((from) => arrives(from, name, false))) {
        started.add(name);
      }
    }
  }

  const kindOf = (step: string) => graph.steps.get(step)?.kind;
  const leads = (step: string) => graph.steps.get(step)?.moves.has(eventOf(step) ?? "") ?? false;
  const applied = new Set([...started].filter(leads));
  const active = new Set([...started].filter((step) => !applied.has(step)));
  const failing = new Set(
    [...active].filter((step) => kindOf(step) === "choice" || eventOf(step) !== undefined),
  );
  const waits = (step: string) =>
    kindOf(step) === "signal" || kindOf(step) === "timer" || later.has(step);
  if (failing.size > 0) return { applied, active: new Set(), failing, status: "failed" };
  if (active.size === 0) return { applied, active, failing, status: "completed" };
  return { applied, active, failing, status: [...active].every(waits) ? "waiting" : "running" };
}

/** Everything that has led to the end of these steps, and they themselves. */
export function causalPast(
  steps: readonly string[],
  causes: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const past = new Set<string>();
  const open = [...steps];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    past.add(name);
    open.push(...causes.get(name) ?? []);
  }
  return past;
}
