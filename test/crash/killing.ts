import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import { silent } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { type Database, database, migrated } from "../pg.ts";
import { program, root } from "../programs.ts";
import { workflows } from "./roads.ts";
import type { Stage, Story } from "./story.ts";

interface Died {
  readonly points: readonly string[];
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

/** Acts a story in a process of its own, up to a point of it or to its end. */
function act(url: string, story: Story, end = ""): Promise<Died> {
  const child = spawn(
    process.execPath,
    [...program("test/crash/victim.ts"), url, story.name, end],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const out: string[] = [];
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const late = setTimeout(() => child.kill("SIGTERM"), 60_000);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(late);
      const points = out.join("").split("\n").filter((point) => point !== "");
      resolve({ points, code, signal, said: said.join("") });
    });
  });
}

async function stageOf({ url, sql }: Database): Promise<Stage & AsyncDisposable> {
  const hephaestus = new Hephaestus({ url, workflows, logger: silent, poolSize: 9 });
  await sql`create table effects (key text, step text)`;
  return {
    url,
    sql,
    hephaestus,
    async work() {
      await sql`update hephaestus.processes set expires_at = now() - interval '1 s'`;
      const queues = { default: 10, aside: 10 };
      await hephaestus.work({ poll: "30ms", heartbeat: "50ms", lease: "1m", queues }).ready;
    },
    [Symbol.asyncDispose]: () => hephaestus.close(),
  };
}

/** The points of a story. Fails when it does not hold the statements that it is about. */
async function pointsOf(story: Story): Promise<readonly string[]> {
  await using there = await (story.empty ? database() : migrated());
  await using stage = await stageOf(there);
  await story.before?.(stage);
  const { points, code, said } = await act(there.url, story);
  assertEquals([code, said], [0, ""], `"${story.name}" comes to its end`);
  const names = new Set(points.map(statementAt));
  const missing = story.statements.filter((name) => !names.has(name));
  assertEquals(missing, [], `statements that "${story.name}" is about`);
  return points.filter((point) => story.statements.includes(statementAt(point)));
}

/** The statement that a point is before or after. */
function statementAt(point: string): string {
  return point.replace(/^(before|after) /, "").replace(
    /^claim of .*| (#\d+|in vain|\(.*\))/g,
    (part) => part.startsWith("claim") ? "claim" : "",
  );
}

/** Kills a process at one point, lets another one finish, and checks that it is as if nothing had been. */
async function killAt(story: Story, point: string): Promise<boolean> {
  await using there = await (story.empty ? database() : migrated());
  await using stage = await stageOf(there);
  await story.before?.(stage);
  const { points, signal, said } = await act(there.url, story, point);
  assertEquals(said, "");
  if (signal !== "SIGKILL") return false;
  assert(points.at(-1) === point);
  await story.finish(stage);
  const [tables] = await there.sql`select to_regclass('hephaestus.jobs') is not null as there`;
  if (tables?.there) await assertSound(there.sql);
  return true;
}

/** Kills at each of these points, some at once; one that is missed by chance is tried again. */
async function killAtEach(story: Story, points: readonly string[]): Promise<void> {
  const wrong: { readonly point: string; readonly error: unknown }[] = [];
  const left = [...points];
  const lane = async () => {
    for (let point = left.shift(); point !== undefined; point = left.shift()) {
      try {
        let reached = false;
        for (let tries = 0; tries < 12 && !reached; tries++) reached = await killAt(story, point);
        assert(reached, "nobody comes there");
      } catch (error) {
        wrong.push({ point, error });
      }
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  if (wrong.length === 0) return;
  const where = wrong.map(({ point }) => point).join("; ");
  throw new Error(`"${story.name}" was not finished when it was killed ${where}`, {
    cause: wrong[0]?.error,
  });
}

/** One test for each story, at those of its points that are wanted. */
export function killedEverywhere(
  stories: readonly Story[],
  wanted: (point: string) => boolean = () => true,
): void {
  describe("a process that is killed between two effects", () => {
    for (const story of stories) {
      it(`leaves "${story.name}" to another one, wherever it is killed`, async () => {
        const points = (await pointsOf(story)).filter(wanted);
        assert(points.length > 0);
        await killAtEach(story, points);
        console.log(`${story.name}: killed at ${points.length} points`);
      });
    }
  });
}
