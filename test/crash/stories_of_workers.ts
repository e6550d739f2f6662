import { assertEquals } from "@std/assert";
import postgres from "postgres";
import type { Hephaestus } from "../../mod.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { eventually } from "../everywhere.ts";
import { answers, asking, deliveries, dropping, failing, holding, looping, road } from "./roads.ts";
import { again, completes, engine, seen, type Stage, type Story } from "./story.ts";

const steps = [
  "check",
  "reserve",
  "flaky",
  "patient",
  "route",
  "nap",
  "parcel",
  "approval",
  "ship",
];
/** How often a process of a story looks. */
export const often = { poll: "200ms", heartbeat: "100ms", lease: "1m" } as const;

/** Delivers what the road waits for, once, when it waits for it, until it has ended. */
async function deliverAll(hephaestus: Hephaestus): Promise<void> {
  const delivered = new Set<string>();
  await eventually(async () => {
    const there = await hephaestus.get(road, "one");
    for (const step of ["parcel", "approval"] as const) {
      if (!there?.active.includes(step) || delivered.has(step)) continue;
      delivered.add(step);
      await again(hephaestus.resume(road, "one", deliveries[step]), "NOT_WAITING");
    }
    return there?.finishedAt !== undefined;
  }, "the road ends");
}

async function finishRoad(stage: Stage): Promise<void> {
  if (await stage.hephaestus.get(road, "one") === undefined) {
    await stage.hephaestus.start(road, "one", undefined);
  }
  await stage.work();
  await deliverAll(stage.hephaestus);
  await completes(stage, road, "one", steps);
  const effects = await stage.sql`select step from effects order by step`;
  assertEquals(effects.map(({ step }) => step), ["reserve", "ship"]);
}

/** What each working process does, whatever it works on. */
const working = [
  "register",
  "listen",
  "look for migrations",
  "read the migrations",
  "compare graphs",
  "beat",
  "list what is owned",
  "look for the dead",
  "look for the next due",
  "look for the unserved",
  "prune",
  "claim",
];

/** What workers do. */
export const storiesOfWorkers: readonly Story[] = [
  {
    name: "a road, inline",
    statements: [
      ...working,
      ...["open", "read", "turn", "begin", "the user's effect", "commit", "retry", "snooze"],
      ...["stage", "notify", "deliver", "read results", "reserve ids", "list"],
    ],
    async act(url) {
      const hephaestus = engine(url);
      await hephaestus.work(often).ready;
      await hephaestus.start(road, "one", undefined);
      await deliverAll(hephaestus);
    },
    finish: finishRoad,
  },
  {
    name: "a road, through jobs",
    statements: [
      ...working,
      ...["open", "read", "turn", "begin", "the user's effect", "commit", "retry", "snooze"],
      ...["stage", "notify", "deliver", "record", "read results", "reserve ids", "list"],
    ],
    async act(url) {
      const hephaestus = engine(url, { inline: false });
      await hephaestus.start(road, "one", undefined);
      await hephaestus.work(often).ready;
      await deliverAll(hephaestus);
    },
    finish: finishRoad,
  },
  {
    name: "a step that is given up",
    statements: ["turn"],
    before: ({ hephaestus }) => hephaestus.start(failing, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(failing, "one"))!.result();
    },
    async finish({ hephaestus, work, sql }) {
      await work();
      const end = await (await hephaestus.handle(failing, "one"))!.result();
      assertEquals([end.status, end.error?.message], ["failed", "This cannot be"]);
      const jobs = await sql`select step, state from hephaestus.jobs order by step`;
      assertEquals(jobs.map(({ step, state }) => `${step} ${state}`), [
        "bad discarded",
        "late cancelled",
      ]);
      const history = await hephaestus.history(failing, "one");
      assertEquals(history.map(({ step, event }) => `${step} ${event}`), [
        "start ok",
        "bad __failed__",
      ]);
    },
  },
  ...[true, false].map((inline): Story => ({
    name: `a loop that leads back from a failure, ${inline ? "inline" : "through jobs"}`,
    statements: ["turn", "the user's effect", "commit", ...(inline ? [] : ["record"])],
    before: ({ hephaestus }) => hephaestus.start(looping, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(looping, "one"))!.result();
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, looping, "one", ["look", "miss", "look", "miss", "finish"]);
      assertEquals((await stage.sql`select from effects`).length, 2);
    },
  })),
  ...[true, false].map((inline): Story => ({
    name: `a branch that is dropped, ${inline ? "inline" : "through jobs"}`,
    statements: ["turn", "the user's effect", "commit", ...(inline ? [] : ["record"])],
    before: ({ hephaestus }) => hephaestus.start(dropping, "one", undefined),
    async act(url) {
      const hephaestus = engine(url, { inline });
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(dropping, "one"))!.result();
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, dropping, "one", ["look", "win", "nudge", "finish"]);
      assertEquals((await stage.sql`select from hephaestus.jobs`).length, 0);
    },
  })),
  {
    name: "an advance that finds nothing to do",
    statements: ["claim", "read", "read results", "pass"],
    async before({ hephaestus, sql }) {
      const { id } = await hephaestus.start(asking, "one", undefined);
      await sql`insert into hephaestus.jobs
        (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
        values (${id}, 'advance', 'available', 'default', 'asking', 1, ${id})`;
    },
    async act(url) {
      await engine(url).work(often).ready;
      await seen(postgres(url, { max: 1 }), noJob, "the advance has ended");
    },
    async finish(stage) {
      await stage.work();
      await seen(stage.sql, noJob, "the advance has ended");
      for (const answer of answers) await stage.hephaestus.resume(asking, "one", answer);
      await completes(stage, asking, "one", ["fork", "yes", "both", "end"]);
    },
  },
  {
    name: "a rescue",
    statements: [
      "look for the dead",
      "begin",
      "declare dead",
      "free",
      "notify",
      "commit",
      "claim",
      "turn",
    ],
    async before({ url, sql, hephaestus }) {
      await hephaestus.start(holding, "one", undefined);
      await hephaestus.start(asking, "two", undefined);
      await hephaestus.resume(asking, "two", answers[0]);
      await using backend = postgresBackend({ url, poolSize: 6 });
      const process = await backend.queue.register("dead", 1);
      const serves = [{ workflow: "holding", version: 1 }, { workflow: "asking", version: 1 }];
      for (const queue of ["aside", "default"]) {
        const claimed = await backend.queue.claim({ process, queue, limit: 10, serves });
        assertEquals(claimed.length, 1);
      }
      await hephaestus.resume(asking, "two", answers[1]);
      await seen(sql, "select from hephaestus.processes where expires_at < now()", "it is dead");
    },
    async act(url) {
      const hephaestus = engine(url);
      const rescued = new Promise((resolve) => hephaestus.on("job:rescue", resolve));
      await hephaestus.work(often).ready;
      await (await hephaestus.handle(asking, "two"))!.result();
      await rescued;
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
      await completes(stage, asking, "two", ["fork", "yes", "both", "end"]);
    },
  },
  {
    name: "heartbeats that find a job which the process does not know",
    statements: ["beat", "list what is owned", "release", "notify"],
    before: ({ hephaestus }) => hephaestus.start(holding, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      const worker = hephaestus.work(often);
      await worker.ready;
      const sql = postgres(url, { max: 1 });
      // What a claim leaves whose answer is lost.
      await sql`update hephaestus.jobs set state = 'executing', attempt = 1, process_id = ${worker.id}`;
      await seen(sql, "select from hephaestus.jobs where state = 'available'", "it is given back");
    },
    async finish(stage) {
      const [job] = await stage.sql`select state, attempt from hephaestus.jobs`;
      assertEquals(job?.attempt, job?.state === "executing" ? 1 : 0);
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
    },
  },
  {
    name: "a worker that stops in the middle of a step",
    statements: ["release", "notify", "beat", "list what is owned", "leave"],
    before: ({ hephaestus }) => hephaestus.start(holding, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      await hephaestus.work({ ...often, queues: { aside: 1 }, grace: "1ms" }).ready;
      const sql = postgres(url, { max: 1 });
      await seen(sql, "select from hephaestus.jobs where state = 'executing'", "the step runs");
      await hephaestus.close();
    },
    async finish(stage) {
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
    },
  },
  {
    name: "a cleaning",
    statements: ["look for the unserved", "prune"],
    async before({ hephaestus, sql }) {
      await hephaestus.start(road, "one", undefined);
      await hephaestus.cancel(road, "one");
      await sql`update hephaestus.jobs set finished_at = now() - interval '8 d'`;
      await hephaestus.start(road, "two", undefined);
      await hephaestus.cancel(road, "two");
    },
    async act(url) {
      await engine(url).work(often).ready;
      await seen(postgres(url, { max: 1 }), oneJob, "the old one is gone");
    },
    async finish({ hephaestus, work, sql }) {
      await work();
      await seen(sql, oneJob, "the old one is gone");
      const { items } = await hephaestus.list(road);
      assertEquals(items.map(({ status }) => status), ["cancelled", "cancelled"]);
      await again(hephaestus.cancel(road, "one"), "NOT_CANCELLABLE");
    },
  },
];

const noJob = "select from hephaestus.jobs having count(*) = 0";
const oneJob = "select from hephaestus.jobs having count(*) = 1";
