// A worker process of a run. Requests and responses are lines of JSON.
import process from "node:process";
import { createInterface } from "node:readline";
import type { Order, Said } from "./child.ts";
import { LocalClient, type Place } from "./client.ts";
import type { Options } from "./options.ts";
import { countStatements } from "./own_process.ts";

const { place, options } = JSON.parse(process.argv[2] ?? "") as {
  readonly place: Place;
  readonly options: Options;
};

// Reporting each end separately to the parent would cost more than the step.
const pause = 10;
let telling: ReturnType<typeof setTimeout> | undefined;
let trouble: string | undefined;

countStatements();
const client = new LocalClient(place, options, (problem) => {
  trouble ??= problem;
  telling ??= setTimeout(tell, pause);
});

function tell(): void {
  telling = undefined;
  say({ ended: client.ended, ...(trouble === undefined ? {} : { problem: trouble }) });
}

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case "open":
      return await client.open(order);
    case "start":
      return await client.start(order.prefix, order.from, order.count);
    case "usage":
      return;
    case "close":
      return await client.close();
  }
}

let last: Promise<void> = Promise.resolve();

async function answer(order: Order): Promise<void> {
  try {
    await obey(order);
    say({ answer: await client.usage() });
  } catch (error) {
    say({ answer: await client.usage(), error: (error as Error).message });
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => void (last = last.then(() => answer(JSON.parse(line) as Order))))
  .on("close", () => void last.then(() => client.close()));
