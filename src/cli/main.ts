#!/usr/bin/env node
/**
 * The command line of Hephaestus: creates, migrates, removes and checks its tables, and checks
 * workflows before a deploy.
 *
 * @example Create the tables, in Deno
 * ```sh
 * deno run --allow-net --allow-env jsr:@hephaestus/workflow/cli migrate
 * ```
 *
 * @example Create the tables, in Node
 * ```sh
 * npx hephaestus migrate
 * ```
 *
 * @example Check the tables for inconsistencies
 * ```sh
 * npx hephaestus doctor
 * ```
 *
 * @example Check before a deploy whether every open instance can continue
 * ```sh
 * npx hephaestus check app.ts
 * ```
 *
 * @module
 */
import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { type CheckValues, runCheck } from "./check.ts";
import { type DoctorValues, runDoctor } from "./doctor.ts";
import { sentenceOf, UsageError } from "./failure.ts";
import { type MigrateValues, runMigrate } from "./migrate.ts";
import { version } from "./version.ts";

const help = `Usage: hephaestus migrate [up|down|status] [options]
       hephaestus doctor [options]
       hephaestus check MODULE... [options]

  migrate up        creates the tables, or updates them (the default)
  migrate down      reverts the last migration, or all above --to
  migrate status    lists the migrations and when they were applied
  doctor            checks the live tables for inconsistencies, without locks
                    Exit code: 0 without violations, 1 with violations or if the check failed.
  check             compares the workflows that the modules export with the open instances, before
                    a deploy. The modules are imported: they must not start a worker.
                    Exit code: 0 if all can continue, 1 if some cannot or if the check failed.

Options:
  --url URL         the address of the database. Default: DATABASE_URL.
  --schema NAME     the schema of the tables. Default: hephaestus.
  --to N            the version to stop at. 0 is before the first migration.
  --dry-run         only shows what would be done
  --sql             prints the SQL instead of running it, for psql or another tool
  --from N          the version that --sql starts from, without a database
  --repair          repairs what is safe to repair, each in its own transaction
  --queue NAME      the queue of advances, for wake-ups that --repair inserts. Default: default.
  --limit N         the maximum number of violations to show per rule. Default: 20.
  --ignore NAME     a workflow that other code runs: check leaves it out. May be repeated.
  --json            prints one JSON object, for programs
  -h, --help        shows this text
  -v, --version     shows the version
`;

const options = {
  url: { type: "string" },
  schema: { type: "string" },
  to: { type: "string" },
  "dry-run": { type: "boolean" },
  sql: { type: "boolean" },
  from: { type: "string" },
  repair: { type: "boolean" },
  queue: { type: "string" },
  limit: { type: "string" },
  ignore: { type: "string", multiple: true },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const satisfies ParseArgsConfig["options"];

const commands: ReadonlyMap<string, readonly string[]> = new Map([
  ["migrate", ["url", "schema", "to", "from", "dry-run", "sql", "json"]],
  ["doctor", ["url", "schema", "repair", "queue", "limit", "json"]],
  ["check", ["url", "schema", "ignore", "json"]],
]);

interface Command {
  readonly words: readonly string[];
  readonly values: MigrateValues & DoctorValues & CheckValues & {
    readonly help?: boolean;
    readonly version?: boolean;
  };
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { words, values } = parse(args);
    const [command, ...rest] = words;
    if (values.version) console.log(version);
    else if (values.help || command === undefined) console.log(help);
    else {
      checkOptions(command, values);
      if (command === "doctor") return await runDoctor(rest, values);
      if (command === "check") return await runCheck(rest, values);
      await runMigrate(rest, values);
    }
    return 0;
  } catch (error) {
    const sentence = sentenceOf(error);
    console.error(sentence);
    if (args.includes("--json")) console.log(JSON.stringify({ error: sentence }));
    if (!(error instanceof UsageError)) return 1;
    console.error("See: hephaestus --help");
    return 2;
  }
}

/** Reject options that the command does not know instead of ignoring them. */
function checkOptions(command: string, values: Command["values"]): void {
  const known = commands.get(command);
  if (known === undefined) {
    throw new UsageError(`Cannot run "${command}": there is no such command`);
  }
  const strange = Object.keys(values).find((name) => !known.includes(name));
  if (strange) throw new UsageError(`Cannot run "${command}": it has no option --${strange}`);
}

function parse(args: readonly string[]): Command {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { words: positionals, values };
  } catch (error) {
    const [reason = ""] = (error as Error).message.split(/\.\s/);
    throw new UsageError(
      `Cannot run hephaestus: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`,
    );
  }
}

main(process.argv.slice(2)).then((code) => {
  // A module that was checked may hold connections, which would keep the process alive.
  process.stdout.write("", () => process.exit(code));
});
