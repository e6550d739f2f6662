import { parseArgs } from "node:util";

export const names = [
  "start",
  "chain",
  "fanout",
  "each",
  "latency",
  "growth",
  "payload",
  "again",
  "mixed",
] as const;

export type Name = (typeof names)[number];

/** The options of the command line, which are the same for every process of a run. */
export interface Options {
  readonly workload: Name;
  readonly workflows: number;
  readonly processes: number;
  /** Maximum number of concurrent steps in each process. */
  readonly slots: number;
  readonly inline: boolean;
  /** Steps of a chain. */
  readonly steps: number;
  /** Branches of a fan-out. */
  readonly width: number;
  /** Rounds of a loop. */
  readonly rounds: number;
  /** Whether the first step of a loop reads what all rounds have put out. */
  readonly carry: boolean;
  /** Items of a list. */
  readonly items: number;
  /** Finished instances that exist before the run. */
  readonly history: number;
  /** Size of the output of the first step. */
  readonly bytes: number;
  /** Milliseconds that each step of a chain waits. */
  readonly wait: number;
  readonly compare: boolean;
  readonly profile: string | undefined;
}

/** Default number of workflows. */
function workflowsOf(workload: Name, width: number, rounds: number, items: number): number {
  switch (workload) {
    case "again":
      return Math.max(1, Math.round(20_000 / rounds));
    case "fanout":
      return Math.max(1, Math.round(20_000 / width));
    case "each":
      return Math.max(1, Math.round(20_000 / items));
    case "latency":
      return 500;
    case "mixed":
      return 4_000;
    case "payload":
      return 1_000;
    default:
      return 20_000;
  }
}

export const usage = `Usage: npm run bench -- <${names.join("|")}> [options]
  --workflows N   how many instances (latency: how many one after the other)
  --processes N   processes that work (default 1: this one)
  --slots N       steps at once in each process (default 500)
  --inline on|off whether a process that ran a step advances the instance itself (default on)
  --steps N       chain, growth: steps of one instance (default 3)
  --wait N        chain: milliseconds that each step waits (default 0)
  --width N       fanout: branches (default 100)
  --rounds N      again: rounds of one instance (default 10)
  --carry         again: the first step of the loop reads what all rounds have put out
  --items N       each: items of a list (default 100)
  --history N     growth: finished instances that are there before (default 1,000,000)
  --bytes N       payload: size of the first step's output (default 10,000)
  --compare       runs the same without an engine around it, and prints the ratio
  --profile FILE  writes a CPU profile of the client`;

/** Parses the command line. Throws a sentence if it is invalid. */
export function parseOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      workflows: text,
      processes: text,
      slots: text,
      inline: text,
      steps: text,
      width: text,
      rounds: text,
      items: text,
      history: text,
      bytes: text,
      wait: text,
      carry: { type: "boolean" },
      compare: { type: "boolean" },
      profile: text,
    },
  });
  const workload = names.find((name) => name === positionals[0]);
  if (workload === undefined || positionals.length > 1) {
    throw new TypeError(`Cannot measure "${positionals.join(" ")}": it is no workload\n${usage}`);
  }
  if (!["on", "off", undefined].includes(values.inline)) {
    throw new TypeError(`Cannot use --inline ${values.inline}: write on or off`);
  }
  const number = (
    name: "workflows" | "processes" | "slots" | "steps" | "width" | "rounds" | "items",
    or: number,
  ) => count(name, values[name], or, 1);
  const width = number("width", 100);
  const rounds = number("rounds", 10);
  const items = number("items", 100);
  return {
    workload,
    workflows: number("workflows", workflowsOf(workload, width, rounds, items)),
    processes: number("processes", 1),
    slots: number("slots", 500),
    inline: values.inline !== "off",
    steps: workload === "payload" ? 20 : number("steps", 3),
    width,
    rounds,
    carry: values.carry ?? false,
    items,
    history: count("history", values.history, 1_000_000, 0),
    bytes: count("bytes", values.bytes, 10_000, 0),
    wait: count("wait", values.wait, 0, 0),
    compare: values.compare ?? false,
    profile: values.profile,
  };
}

function count(name: string, value: string | undefined, or: number, least: number): number {
  const number = value === undefined ? or : Number(value);
  if (Number.isInteger(number) && number >= least) return number;
  throw new RangeError(`Cannot use --${name} ${value}: it is not a whole number from ${least}`);
}
