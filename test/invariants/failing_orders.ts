import { assertEquals } from "@std/assert";
import { done, FatalError, join, step, type, workflow } from "../../mod.ts";
import type { AnyWorkflow } from "../../src/types.ts";
import type { Gate } from "../everywhere.ts";
import type { Bench } from "./backends.ts";
import { assertSound } from "./story.ts";

/** The steps that throw, what has begun, and what is held up. */
export const broken = new Set<string>();
export const begun: string[] = [];
/** What has ended its code. */
export const returned: string[] = [];
export const gates = new Map<string, Gate>();

const work = <const N extends string>(name: N) =>
  step(name, {
    events: { ok: type<string>() },
    async run({ idempotencyKey, activation, emit }) {
      begun.push(`${name}#${activation} under ${idempotencyKey.split("/")[2]}`);
      await gates.get(`${name}#${activation}`)?.opened;
      returned.push(`${name}#${activation}`);
      if (broken.has(name)) throw new FatalError(`${name} is broken`);
      return emit.ok(`${name}#${activation}`);
    },
  });
export const [opens, left, right, ships] = [
  work("opens"),
  work("left"),
  work("right"),
  work("ships"),
];
export const order = workflow("order", { key: "id", input: type(), start: opens })
  .on(opens, { ok: [left, right] })
  .on(left, { ok: join(ships) })
  .on(right, { ok: join(ships) })
  .on(ships, { ok: done })
  .build();

/** Nothing has begun yet, nothing is held up, and only these steps are broken. */
export function clear(...faulty: string[]): void {
  broken.clear();
  begun.length = 0;
  returned.length = 0;
  gates.clear();
  for (const name of faulty) broken.add(name);
}

/** Starts an instance and waits until it has failed. */
export async function failedIn({ hephaestus }: Bench, of: AnyWorkflow, key = "a"): Promise<string> {
  const handle = await hephaestus.start(of, key, undefined);
  const end = await handle.result();
  assertEquals(end.status, "failed");
  return end.id;
}

/** The history in words. */
export async function told({ hephaestus }: Bench, of: AnyWorkflow, key = "a"): Promise<string[]> {
  const history = await hephaestus.history(of, key);
  return history.map(({ step, activation, event }) => `${step}#${activation} ${event}`);
}

/** How the instance ends, in a database in which nothing is wrong. */
export async function ends(
  { hephaestus, sql }: Bench,
  of: AnyWorkflow,
  key = "a",
): Promise<string> {
  const end = await (await hephaestus.handle(of, key))!.result();
  if (sql !== undefined) await assertSound(sql);
  return end.status;
}
