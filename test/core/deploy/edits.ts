import {
  again,
  choice,
  done,
  drop,
  first,
  join,
  signal,
  step,
  timer,
  type,
  type Workflow,
  workflow,
} from "../../../mod.ts";
import type { Step } from "../../../src/core/define/step.ts";
import type { Arrival, BackEdge, StepKind } from "../../../src/core/graph/graph.ts";
import type { Pick } from "../graph/proof/random_graphs.ts";

/** One row, as data that may be changed. */
interface Row {
  name: string;
  kind: StepKind;
  asynchronous: boolean;
  moves: Map<string, Arrival[]>;
  loops: Map<string, BackEdge>;
  drops: Map<string, string[]>;
}

function rowsOf({ graph }: Workflow): Row[] {
  return [...graph.steps.values()].map(({ name, kind, asynchronous, moves, loops, drops }) => ({
    ...{ name, kind, asynchronous },
    moves: new Map([...moves].map(([event, to]) => [event, [...to]])),
    loops: new Map(loops),
    drops: new Map([...drops].map(([event, of]) => [event, [...of]])),
  }));
}

function made({ name, kind, asynchronous, moves }: Row): Step {
  const events = Object.fromEntries(
    [...moves.keys()].filter((event) => event !== "failed").map((event) => [event, type()]),
  );
  // deno-lint-ignore no-explicit-any -- as plain JavaScript
  const run = () => undefined as any;
  if (kind === "choice") return choice(name, { events, decide: run }) as Step;
  if (kind === "signal") return signal(name, { events }) as Step;
  if (kind === "timer") return timer(name, "1m") as Step;
  return step(name, { events, async: asynchronous, run }) as Step;
}

const modes = { plain: (to: Step) => to, join, first };

/** The workflow of these rows; undefined if the definition refuses it. */
function build(rows: readonly Row[]): Workflow | undefined {
  try {
    const steps = new Map(rows.map((row) => [row.name, made(row)]));
    const at = (name: string) => steps.get(name)!;
    // deno-lint-ignore no-explicit-any -- as plain JavaScript
    let builder: any = workflow("w", {
      key: "id",
      input: type(),
      start: at(rows[0]!.name) as never,
    });
    for (const { name, moves, loops, drops } of rows) {
      const row = [...moves].map(([event, arrivals]) => {
        const to: unknown[] = arrivals.map(({ to, mode }) => modes[mode](at(to) as never));
        const loop = loops.get(event);
        const dropped = (drops.get(event) ?? []).map((head) => drop(at(head) as never));
        const targets = [...(to.length > 0 ? to : [done]), ...dropped];
        if (loop === undefined) return [event, targets.length > 1 ? targets : targets[0]];
        const then = loop.ends ? {} : { then: targets.length > 1 ? targets : targets[0] };
        return [event, again(at(loop.to) as never, { limit: loop.limit, ...then } as never)];
      });
      builder = builder.on(at(name), Object.fromEntries(row));
    }
    return builder.build();
  } catch (error) {
    if ((error as { code?: string }).code === "WORKFLOW_DEFINITION") return undefined;
    throw error;
  }
}

const edits: readonly ((rows: Row[], pick: Pick) => void)[] = [
  function insert(rows, pick) {
    const at = pick(rows.length);
    const row = rows[at]!;
    const [event, targets] = oneOf([...row.moves], pick);
    if (row.loops.has(event)) return;
    const kind = oneOf<StepKind>(["step", "signal", "choice"], pick);
    const added = { name: "added", kind, asynchronous: false, loops: new Map(), drops: new Map() };
    rows.splice(at + 1, 0, { ...added, moves: new Map([["e0", targets]]) });
    row.moves.set(event, [{ to: "added", mode: "plain" }]);
  },
  function retarget(rows, pick) {
    const at = pick(rows.length - 1);
    const [event, targets] = oneOf([...rows[at]!.moves], pick);
    const to = rows[at + 1 + pick(rows.length - at - 1)]!.name;
    const mode = oneOf(["plain", "join", "first"] as const, pick);
    rows[at]!.moves.set(event, pick(2) === 0 ? [{ to, mode }] : [...targets, { to, mode }]);
  },
  function shorten(rows, pick) {
    const [event] = oneOf([...oneOf(rows, pick).moves], pick);
    oneOf(rows, pick).moves.set(event, []);
  },
  function rename(rows, pick) {
    const old = oneOf(rows, pick).name;
    const now = (name: string) => name === old ? "renamed" : name;
    for (const row of rows) {
      row.name = now(row.name);
      for (const [event, to] of row.moves) {
        row.moves.set(event, to.map(({ to, mode }) => ({ to: now(to), mode })));
      }
      for (const [event, loop] of row.loops) row.loops.set(event, { ...loop, to: now(loop.to) });
      for (const [event, of] of row.drops) row.drops.set(event, of.map(now));
    }
  },
  function extend(rows, pick) {
    oneOf(rows, pick).moves.set("more", []);
  },
  function turn(rows, pick) {
    oneOf(rows, pick).kind = oneOf<StepKind>(["step", "signal", "choice"], pick);
  },
  function limit(rows, pick) {
    const row = oneOf(rows, pick);
    for (const [event, loop] of row.loops) row.loops.set(event, { ...loop, limit: 1 + pick(4) });
  },
  function keep(rows, pick) {
    oneOf(rows, pick).drops.clear();
  },
  function swap(rows, pick) {
    const at = 1 + pick(rows.length - 2);
    rows.splice(at, 2, ...rows.slice(at, at + 2).reverse());
  },
];

function oneOf<T>(list: readonly T[], pick: Pick): T {
  return list[pick(list.length)]!;
}

/** A workflow with one or two random changes; undefined if the definition refuses it. */
export function edited(workflow: Workflow, pick: Pick): Workflow | undefined {
  const rows = rowsOf(workflow);
  if (rows.length < 3) return undefined;
  for (let left = 1 + pick(2); left > 0; left--) oneOf(edits, pick)(rows, pick);
  return build(rows);
}
