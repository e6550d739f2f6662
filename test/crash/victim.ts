// A process that acts a story and is killed at one point of it: by itself, between two effects. Nothing in the engine
// knows of it: every statement passes Connection.send.
import { writeSync } from "node:fs";
import process from "node:process";
import { Connection } from "../../src/postgres/driver/connection.ts";
import { Points, type Rows } from "./statements.ts";
import { stories } from "./stories.ts";

const [url, name, end] = process.argv.slice(2);
const story = stories.find((one) => one.name === name);
const points = new Points();
const send = Connection.prototype.send;

function pass(point: string | undefined): void {
  if (point === undefined) return;
  writeSync(1, `${point}\n`);
  if (point !== end) return;
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

Connection.prototype.send = async function (text, ...rest) {
  pass(points.before(text));
  const answer = await send.call(this, text, ...rest);
  pass(points.after(text, answer as unknown as Rows));
  return answer;
};

await story!.act(url!);
process.exit(0);
