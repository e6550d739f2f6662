import type { Handle } from "../../mod.ts";
import { approve } from "./approver.ts";
import type { Arguments } from "./arguments.ts";
import { open, pace, prepare } from "./engine.ts";
import { Fleet } from "./fleet.ts";
import { gateway } from "./gateway.ts";
import { interruption } from "./interruption.ts";
import { stockOf, violationsOf } from "./ledger.ts";
import { type Data, load } from "./load.ts";
import { openPlace } from "./place.ts";
import { Progress } from "./progress.ts";
import { draw, type Report, summarise } from "./report.ts";
import { failuresOf, resultsOf } from "./results.ts";
import { Shop } from "./shop.ts";

/** Runs all orders to completion and reports. Returns the exit code. */
export async function run(args: Arguments): Promise<number> {
  const data = await load(args.data);
  const place = await openPlace();
  const shop = new Shop(place.url);
  let over = false;
  try {
    const known = await shop.open(data, args);
    console.error(`${data.orders.length} orders from ${data.directory}, on ${place.name}`);
    if (known > 0) {
      console.error(`An earlier run has taken in ${known} of them: this run continues`);
    }
    await prepare(place.url);
    const report = await work(place.url, shop, data, args);
    if (args.json) {
      console.error(draw(report));
      console.log(JSON.stringify(summarise(report)));
    } else console.log(draw(report));
    over = report.violations.length === 0;
    if (!over) console.error("The data is kept to be looked at, start over with --fresh");
    return over ? 0 : 1;
  } finally {
    const alone = await shop.isAlone();
    const remove = over && !args.keep;
    if (alone && remove) await shop.drop();
    await shop.close();
    if (alone) await (remove ? place.remove() : place.leave());
  }
}

async function work(url: string, shop: Shop, data: Data, args: Arguments): Promise<Report> {
  await using _payments = gateway.connect(url);
  await using hephaestus = open(url);
  await using fleet = new Fleet(url, args.workers);
  using interrupted = interruption();
  const finished = new AbortController();
  const signal = AbortSignal.any([interrupted.signal, finished.signal]);
  using progress = new Progress(data.orders.length, fleet);

  if (args.workers === 0) await hephaestus.work(pace).ready;
  if (args.kill) void fleet.harass(signal);
  const approving = approve(hephaestus, signal);
  const ending = endAll(shop.takeIn(hephaestus, data.orders), progress, signal);
  await Promise.race([ending, approving, fleet.failure]);
  signal.throwIfAborted();
  progress.stop();
  finished.abort();

  const results = await resultsOf(hephaestus);
  return {
    results,
    stock: await stockOf(shop.sql),
    violations: [...failuresOf(results, data.orders.length), ...await violationsOf(shop.sql)],
    kills: fleet.kills,
    seconds: progress.seconds,
  };
}

/** Waits for the end of every order, starting as soon as it is taken in. */
async function endAll(
  handles: AsyncIterable<Handle>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const ends: Promise<void>[] = [];
  for await (const handle of handles) {
    signal.throwIfAborted();
    const end = handle.result({ signal }).then(() => progress.count());
    // Until all are awaited, a rejection would be unhandled.
    end.catch(() => {});
    ends.push(end);
  }
  await Promise.all(ends);
}
