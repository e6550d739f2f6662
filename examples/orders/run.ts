import { approve } from "./approver.ts";
import type { Arguments } from "./arguments.ts";
import { migrate, open, pace } from "./engine.ts";
import { Fleet } from "./fleet.ts";
import { gateway } from "./gateway.ts";
import { interruption } from "./interruption.ts";
import { stockOf, violationsOf } from "./ledger.ts";
import { type Data, load } from "./load.ts";
import { openPlace } from "./place.ts";
import { Progress } from "./progress.ts";
import { draw, type Report, summarise } from "./report.ts";
import { resultsOf } from "./results.ts";
import { Shop } from "./shop.ts";

/** Runs all orders to their end and reports. Returns the exit code. */
export async function run(args: Arguments): Promise<number> {
  const data = await load(args.data);
  const place = await openPlace();
  const shop = new Shop(place.url);
  let over = false;
  try {
    await shop.open(data, args);
    console.error(`${data.orders.length} orders from ${data.directory}, on ${place.name}`);
    await migrate(place.url);
    const report = await work(place.url, shop, data, args);
    console.log(draw(report));
    if (args.json) console.log(JSON.stringify(summarise(report)));
    // What does not add up is kept to be looked at.
    over = report.violations.length === 0;
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

  if (args.workers === 0) hephaestus.work(pace);
  if (args.kill) void fleet.harass(signal);
  const approving = approve(hephaestus, signal);
  const handles = await shop.takeIn(hephaestus, data.orders, signal);
  const ends = handles.map((handle) => handle.result({ signal }).then(() => progress.count()));
  await Promise.race([Promise.all(ends), approving, fleet.failure]);
  signal.throwIfAborted();
  progress.stop();
  finished.abort();

  return {
    results: await resultsOf(hephaestus),
    stock: await stockOf(shop.sql),
    violations: await violationsOf(shop.sql),
    kills: fleet.kills,
    seconds: progress.seconds,
  };
}
