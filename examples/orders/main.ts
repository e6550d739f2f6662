// Runs orders through a durable workflow: npm run demo, or deno run -A examples/orders/main.ts
import process from "node:process";
import { help, understand, UsageError } from "./arguments.ts";
import { Interrupted } from "./interruption.ts";
import { run } from "./run.ts";
import { work } from "./worker.ts";

async function main(): Promise<number> {
  try {
    const args = understand(process.argv.slice(2));
    if (args.help) console.log(help);
    else if (args.worker) await work();
    else return await run(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof Interrupted) console.error(error.message);
    else console.error(error);
    return error instanceof UsageError ? 2 : error instanceof Interrupted ? 130 : 1;
  }
}

process.exitCode = await main();
