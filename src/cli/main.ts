#!/usr/bin/env node
/**
 * The command line of Hephaestus: makes, changes and removes its tables, and examines them.
 *
 * @example Make the tables, in Deno
 * ```sh
 * deno run --allow-net --allow-env jsr:@hephaestus/workflow/cli migrate
 * ```
 *
 * @example Make the tables, in Node
 * ```sh
 * npx hephaestus migrate
 * ```
 *
 * @example Look for what should never be in the tables
 * ```sh
 * npx hephaestus doctor
 * ```
 *
 * @module
 */
import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { type DoctorValues, runDoctor } from "./doctor.ts";
import { sentenceOf, UsageError } from "./failure.ts";
import { type MigrateValues, runMigrate } from "./migrate.ts";
import { version } from "./version.ts";

const help = `Usage: hephaestus migrate [up|down|status] [options]
       hephaestus doctor [options]

  migrate up        makes the tables, or brings them up to date (the default)
  migrate down      reverts the last migration, or all above --to
  migrate status    lists the migrations and when they were applied
  doctor            checks the rules of the engine on the live tables, and takes no lock;
                    exit code 0: nothing is wrong, 1: something is, or it cannot be examined

Options:
  --url URL         the database, instead of DATABASE_URL
  --schema NAME     the schema that holds the tables (default: hephaestus)
  --to N            the version to stop at; 0 is before the first
  --dry-run         only tells what would be done
  --repair          repairs what is safe, each in a transaction of its own
  --queue NAME      where --repair puts wake-ups: the queue of advances (default: default)
  --limit N         violations of each rule that are told at most (default: 20)
  --json            prints one JSON object, for machines
  -h, --help        shows this text
  -v, --version     shows the version
`;

const options = {
  url: { type: "string" },
  schema: { type: "string" },
  to: { type: "string" },
  "dry-run": { type: "boolean" },
  repair: { type: "boolean" },
  queue: { type: "string" },
  limit: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const satisfies ParseArgsConfig["options"];

interface Command {
  readonly words: readonly string[];
  readonly values: MigrateValues & DoctorValues & {
    readonly help?: boolean;
    readonly version?: boolean;
  };
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { words, values } = parse(args);
    if (values.version) console.log(version);
    else if (values.help || words[0] === undefined) console.log(help);
    else if (words[0] === "migrate") await runMigrate(words.slice(1), values);
    else if (words[0] === "doctor") return await runDoctor(words.slice(1), values);
    else throw new UsageError(`Cannot run "${words[0]}": there is no such command`);
    return 0;
  } catch (error) {
    console.error(sentenceOf(error));
    if (!(error instanceof UsageError)) return 1;
    console.error("See: hephaestus --help");
    return 2;
  }
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
  process.exitCode = code;
});
