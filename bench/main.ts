// npm run bench -- <workload> [options]. The table goes to stderr, one line of JSON to stdout.
import process from "node:process";
import { bench } from "./bench.ts";
import { openDatabase } from "./database.ts";
import { parseOptions } from "./options.ts";
import { countStatements } from "./own_process.ts";
import { print } from "./report.ts";

const options = parseOptions(process.argv.slice(2));
await using database = await openDatabase();
if (!database.observer.countsStatements) countStatements();
print(options, database.about, await bench(database, options));
