/** What happens in a run, and when: drawn from the seed alone. */
export interface Plan {
  readonly seed: number;
  readonly seconds: number;
  readonly processes: number;
  /** Whether the workers of this run advance inline. */
  readonly inline: boolean;
  /** Whether steps do what they can to harm those beside them. */
  readonly hostile: boolean;
  /** Whether the instances are of the workflows that continue after failures, loop, drop and undo. */
  readonly flow: boolean;
  readonly faults: readonly Fault[];
  readonly calls: readonly Call[];
}

export type Fault =
  & { readonly at: number }
  & (
    | { readonly kind: "kill" | "term" | "cut"; readonly worker: number }
    | {
      readonly kind: "stop" | "refuse" | "hold" | "stall" | "deaf";
      readonly worker: number;
      readonly takes: number;
    }
    | {
      readonly kind: "slow";
      readonly worker: number;
      readonly takes: number;
      readonly latency: number;
    }
    | { readonly kind: "swallow"; readonly worker: number; readonly after: number }
    | { readonly kind: "terminate"; readonly backends: number }
    | { readonly kind: "restart" }
  );

export const names = [
  "shop",
  "wide",
  "desk",
  "doomed",
  "line",
  "turns",
  "races",
  "family",
  "hostile",
] as const;
/** The workflows of `--flow`. The mixed ones are there more often. */
export const flowNames = [
  ...["tour", "tour", "tour", "batch", "batch"] as const,
  ...["hire", "loan", "bids", "turns", "races", "trip", "family", "rush"] as const,
] as const;
type Name = typeof names[number] | typeof flowNames[number];

/** Which waits of a workflow the application delivers to. */
const waits = {
  desk: ["sign", "call"],
  tour: ["answer"],
  bids: ["quick"],
} as const;

/** A call of the application. Keys name instances that earlier calls have started. */
export type Call =
  & { readonly at: number }
  & (
    | { readonly kind: "start"; readonly workflow: Name; readonly key: string }
    | {
      readonly kind: "startMany";
      readonly workflow: Name;
      readonly keys: readonly string[];
    }
    | {
      readonly kind: "deliver";
      readonly key: string;
      readonly step: typeof waits[keyof typeof waits][number];
      readonly times: number;
      readonly after: number;
    }
    | { readonly kind: "cancel" | "retry"; readonly workflow: Name; readonly key: string }
  );

interface Chance {
  /** From 0 to below 1. */
  (): number;
}

/** The same numbers for the same seed (mulberry32). */
function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const lease = 1_500;

export function planOf(
  seed: number,
  seconds: number,
  processes: number,
  { hostile = false, flow = false } = {},
): Plan {
  const chance = chanceOf(seed);
  const inline = chance() < 0.6;
  const faults = faultsOf(chance, seconds * 1000, processes);
  const usual = flow ? flowNames : names.filter((name) => name !== "hostile");
  const workflows = hostile ? [...usual, "hostile" as const] : usual;
  const calls = [
    ...callsOf(chance, seconds * 1000, workflows),
    ...crowdsOf(faults),
  ];
  return {
    seed,
    seconds,
    processes,
    inline,
    hostile,
    flow,
    faults,
    calls: calls.sort((a, b) => a.at - b.at),
  };
}

const weights = {
  kill: 5,
  stop: 3,
  term: 2,
  cut: 3,
  refuse: 1,
  hold: 2,
  slow: 4,
  stall: 1,
  deaf: 1,
  swallow: 8,
  terminate: 3,
  restart: 1,
} as const;

function faultsOf(chance: Chance, length: number, processes: number): readonly Fault[] {
  const between = (from: number, to: number) => from + Math.floor(chance() * (to - from));
  const kinds = Object.entries(weights).flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind as keyof typeof weights)
  );
  const faults: Fault[] = [];
  for (let at = 700; at < length; at += between(100, 600)) {
    const kind = kinds[between(0, kinds.length)]!;
    const worker = between(0, processes + (/kill|stop|term/.test(kind) ? 0 : 1));
    const takes = kind === "stop" ? between(1.2 * lease, 3 * lease) : between(100, 1_500);
    if (kind === "kill" || kind === "term" || kind === "cut") faults.push({ at, kind, worker });
    else if (kind === "swallow") faults.push({ at, kind, worker, after: between(0, 40) });
    else if (kind === "slow") {
      faults.push({ at, kind, worker, takes: between(500, 3_000), latency: between(5, 60) });
    } else if (kind === "terminate") faults.push({ at, kind, backends: between(1, 10) });
    else if (kind === "restart") faults.push({ at, kind });
    else faults.push({ at, kind, worker, takes });
  }
  return faults;
}

function callsOf(
  chance: Chance,
  length: number,
  workflows: readonly Name[],
): readonly Call[] {
  const between = (from: number, to: number) => from + Math.floor(chance() * (to - from));
  const calls: Call[] = [];
  let count = 0;
  for (let at = 0; at < length; at += between(20, 200)) {
    const workflow = workflows[between(0, workflows.length)]!;
    if (chance() < 0.15) {
      const keys = Array.from({ length: between(2, 12) }, () => `k${count++}`);
      calls.push({ at, kind: "startMany", workflow, keys });
      continue;
    }
    const key = `k${count++}`;
    calls.push({ at, kind: "start", workflow, key });
    if (workflow in waits) {
      for (const step of waits[workflow as keyof typeof waits]) {
        if (chance() < 0.3) continue;
        const times = chance() < 0.3 ? 2 : 1;
        const after = chance() < 0.3 ? between(1, 800) : 0;
        calls.push({ at: at + between(0, 700), kind: "deliver", key, step, times, after });
      }
    }
    if (chance() < 0.1) calls.push({ at: at + between(0, 800), kind: "cancel", workflow, key });
    if (workflow === "tour" || workflow === "batch") {
      // Two at once: a double click.
      const later = at + between(300, 2_000);
      const times = chance() < 0.2 ? 2 : 1;
      for (let time = 0; time < times; time++) {
        calls.push({ at: later, kind: "retry", workflow, key });
      }
    }
  }
  return calls;
}

/** Results of one instance that are on their way at once are what a slow road makes dangerous: it gets a crowd of them. */
function crowdsOf(faults: readonly Fault[]): readonly Call[] {
  return faults.filter(({ kind }) => kind === "slow").map(({ at }, crowd) => ({
    at: at + 50,
    kind: "startMany",
    workflow: "wide",
    keys: Array.from({ length: 8 }, (_, place) => `crowd${crowd}-${place}`),
  }));
}
