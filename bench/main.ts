// npm run bench -- <workload> [options]. The table goes to stderr, one line of JSON to stdout.
import process from "node:process";
import { countStatements } from "./client.ts";
import { openDatabase } from "./database.ts";
import { parseOptions } from "./options.ts";
import { print } from "./report.ts";
import { throughput } from "./throughput.ts";

const options = parseOptions(process.argv.slice(2));
await using database = await openDatabase();
if (!database.observer.countsStatements) countStatements();
print(options, database.about, await throughput(database, options));
