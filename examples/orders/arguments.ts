import { parseArgs, type ParseArgsConfig } from "node:util";
import { fileURLToPath } from "node:url";

export const help =
  `Runs orders through a durable workflow, on its own PostgreSQL server or the one in DATABASE_URL.

Usage: npm run demo -- [options]
       deno run -A examples/orders/main.ts [options]

  --data DIR     orders.csv, order-details.csv, products.csv and customers.csv, instead of the small set
  --kill         run worker processes and kill them at random
  --workers N    number of worker processes (default: 3 with --kill, else this process works alone)
  --fresh        start over instead of continuing an unfinished run
  --keep         keep the data of a finished run
  --json         print one JSON object, and the report to standard error
  -h, --help     show this text

Stop or kill it at any time: the next run continues.
`;

/** The command line is invalid. */
export class UsageError extends Error {}

export interface Arguments {
  readonly data: string;
  /** The number of worker processes; 0 when this process works itself. */
  readonly workers: number;
  readonly kill: boolean;
  readonly fresh: boolean;
  readonly keep: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** Whether this is one of the worker processes. */
  readonly worker: boolean;
}

const flag = { type: "boolean", default: false } as const;
const options = {
  data: { type: "string" },
  workers: { type: "string" },
  kill: flag,
  fresh: flag,
  keep: flag,
  json: flag,
  help: { ...flag, short: "h" },
  worker: flag,
} as const satisfies ParseArgsConfig["options"];

/** Parses the command line. Throws a {@linkcode UsageError} that explains what is wrong. */
export function understand(args: readonly string[]): Arguments {
  const { data = fileURLToPath(new URL("data", import.meta.url)), workers, ...flags } = parse(args);
  const count = workers ?? (flags.kill ? "3" : "0");
  if (workers === undefined || /^([1-9]|[12]\d|3[0-2])$/.test(count)) {
    return { ...flags, data, workers: Number(count) };
  }
  throw new UsageError(`Cannot start "${count}" workers: pass a whole number from 1 to 32`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [reason = ""] = (error as Error).message.split(/\.\s/);
    throw new UsageError(`Cannot run the orders: ${reason}`);
  }
}
