import { assert, assertEquals } from "@std/assert";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrateInstances } from "../../src/postgres/mod.ts";
import { answers, asking, askingMore, bad, deliveries, failing, holding, road } from "./roads.ts";
import { again, completes, engine, seen, type Stage, type Story } from "./story.ts";

const asked = ["fork", "yes", "both", "end"];

/** Both deliveries, by the process that takes over. */
const answered: Story["finish"] = async ({ hephaestus }) => {
  for (const answer of answers) {
    await again(hephaestus.resume(asking, "one", answer), "NOT_WAITING");
  }
};

const startAndAnswer: Story["finish"] = async (stage) => {
  await stage.hephaestus.start(asking, "one", undefined, { onConflict: "return" });
  await stage.work();
  await answered(stage);
  await completes(stage, asking, "one", asked);
};

/** An instance has failed. */
const fails: Story["before"] = async ({ url }) => {
  await using hephaestus = engine(url);
  await hephaestus.work({ poll: "20ms" }).ready;
  await (await hephaestus.start(failing, "one", undefined)).result();
};

async function toldOf(hephaestus: Stage["hephaestus"], key: string): Promise<readonly string[]> {
  const history = await hephaestus.history(failing, key);
  return history.map(({ step, activation, event }) => `${step}#${activation} ${event}`);
}

/** What callers do. */
export const storiesOfCallers: readonly Story[] = [
  {
    name: "a start",
    statements: ["compare graphs", "reserve ids", "open"],
    act: (url) => engine(url).start(holding, "one", undefined),
    async finish(stage) {
      await stage.hephaestus.start(holding, "one", undefined, { onConflict: "return" });
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
    },
  },
  {
    name: "a start that decides a choice",
    statements: ["compare graphs", "open"],
    act: (url) => engine(url).start(asking, "one", undefined),
    finish: startAndAnswer,
  },
  {
    name: "a start in the caller's transaction",
    statements: [
      "compare graphs",
      "reserve ids",
      "begin",
      "the user's effect",
      "open",
      "commit",
    ],
    act: (url) =>
      connect({ url, max: 2 }).transaction(async (tx) => {
        await tx.query("insert into effects (key, step) values ('one', 'start')");
        await engine(url).start(holding, "one", undefined, { tx });
      }),
    async finish(stage) {
      const effects = await stage.sql`select from effects`;
      const there = await stage.hephaestus.get(holding, "one");
      assertEquals(there === undefined ? 0 : 1, effects.length);
      await stage.hephaestus.start(holding, "one", undefined, { onConflict: "return" });
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
    },
  },
  {
    name: "a start of many",
    statements: ["compare graphs", "reserve ids", "open"],
    act: (url) => engine(url).startMany(holding, many()),
    async finish(stage) {
      await stage.hephaestus.startMany(holding, many());
      assertEquals((await stage.hephaestus.list(holding)).items.length, 3);
      await stage.work();
      for (const { key } of many()) await completes(stage, holding, key, ["hold"]);
    },
  },
  {
    name: "a start that replaces another one",
    statements: [
      "reserve ids",
      "open",
      "list",
      "begin",
      "lock the instance",
      "turn",
      "commit",
    ],
    before: ({ hephaestus }) => hephaestus.start(holding, "one", undefined),
    act: (url) => engine(url).start(holding, "one", undefined, { onConflict: "replace" }),
    async finish(stage) {
      const { hephaestus } = stage;
      await hephaestus.start(holding, "one", undefined, { onConflict: "replace" });
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
      const { items } = await hephaestus.list(holding);
      const statuses = items.map(({ status }) => status);
      assert(statuses.length === 2 || statuses.length === 3);
      assertEquals(statuses.filter((status) => status !== "cancelled"), ["completed"]);
    },
  },
  {
    name: "two deliveries, one of them twice",
    statements: ["list", "deliver", "look at the first delivery"],
    before: ({ hephaestus }) => hephaestus.start(asking, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      for (const answer of [...answers, answers[0]]) {
        await hephaestus.resume(asking, "one", answer);
      }
    },
    async finish(stage) {
      await stage.work();
      await answered(stage);
      await completes(stage, asking, "one", asked);
    },
  },
  {
    name: "a delivery for later, and its cancellation",
    statements: ["list", "read", "reserve ids", "schedule", "cancel a scheduled one", "notify"],
    before: ({ hephaestus }) => hephaestus.start(asking, "one", undefined),
    async act(url) {
      const hephaestus = engine(url);
      const id = await hephaestus.scheduleResume(asking, "one", answers[0], { after: "1h" });
      await hephaestus.cancelJob(id);
      await hephaestus.scheduleResume(asking, "one", answers[0], { after: 0 });
    },
    async finish(stage) {
      await stage.work();
      await answered(stage);
      await completes(stage, asking, "one", asked);
    },
  },
  {
    name: "a cancel",
    statements: [
      "list",
      "begin",
      "lock the instance",
      "turn",
      "commit",
    ],
    before: ({ hephaestus }) => hephaestus.start(road, "one", undefined),
    act: (url) => engine(url).cancel(road, "one"),
    async finish(stage) {
      const { hephaestus, sql } = stage;
      await again(hephaestus.cancel(road, "one"), "NOT_CANCELLABLE");
      await stage.work();
      assertEquals((await hephaestus.get(road, "one"))?.status, "cancelled");
      const jobs = await sql`select state from hephaestus.jobs`;
      assertEquals(jobs.map(({ state }) => state), ["cancelled"]);
    },
  },
  {
    name: "a retry",
    statements: ["reserve ids", "begin", "reopen", "turn", "commit"],
    before: fails,
    act: (url) => engine(url).retry(failing, "one", { by: "maria" }),
    async finish(stage) {
      const { hephaestus } = stage;
      await again(hephaestus.retry(failing, "one", { by: "maria" }), "NOT_RETRYABLE");
      await stage.work();
      assertEquals((await (await hephaestus.handle(failing, "one"))!.result()).status, "failed");
      assertEquals(await toldOf(hephaestus, "one"), [
        "start#1 ok",
        "bad#1 __failed__",
        "^#1 __retried__",
        "bad#2 __failed__",
      ]);
    },
  },
  {
    name: "a rewind",
    statements: ["reserve ids", "begin", "reopen", "turn", "commit"],
    before: fails,
    act: (url) => engine(url).rewind(failing, "one", { to: bad, activation: 1 }),
    async finish(stage) {
      const { hephaestus } = stage;
      await again(
        hephaestus.rewind(failing, "one", { to: bad, activation: 1 }),
        "NOT_REWINDABLE",
      );
      await stage.work();
      assertEquals((await (await hephaestus.handle(failing, "one"))!.result()).status, "failed");
      assertEquals(await toldOf(hephaestus, "one"), [
        "start#1 ok",
        "bad#1 __failed__",
        "^bad#2 __rewound__",
        "bad#2 __failed__",
      ]);
    },
  },
  {
    name: "a fork",
    statements: ["reserve ids", "begin", "lock the instance", "open", "fork", "commit"],
    before: fails,
    async act(url) {
      await engine(url).fork(failing, "one", { from: bad, key: "two" });
    },
    async finish(stage) {
      const { hephaestus } = stage;
      await again(hephaestus.fork(failing, "one", { from: bad, key: "two" }), "NOT_FORKABLE");
      await stage.work();
      assertEquals((await (await hephaestus.handle(failing, "two"))!.result()).status, "failed");
      assertEquals(await toldOf(hephaestus, "two"), [
        "start#1 ok",
        "^#1 __forked__",
        "bad#1 __failed__",
      ]);
    },
  },
  {
    name: "a delete",
    statements: ["list", "begin", "lock the instance", "delete the instance", "notify", "commit"],
    async before({ hephaestus }) {
      await hephaestus.start(asking, "one", undefined);
      await hephaestus.resume(asking, "one", answers[0]);
    },
    act: (url) => engine(url).deleteInstance(asking, "one", { force: true }),
    async finish({ hephaestus, sql }) {
      await again(hephaestus.deleteInstance(asking, "one", { force: true }), "INSTANCE_NOT_FOUND");
      const left = await sql`select from hephaestus.workflow_instances
        union all select from hephaestus.step_results union all select from hephaestus.jobs`;
      assertEquals(left.length, 0);
    },
  },
  {
    name: "a move of two instances to another version",
    statements: ["compare graphs", "begin", "lock the instance", "move", "commit"],
    async before({ hephaestus }) {
      for (const key of ["one", "two"]) {
        await hephaestus.start(asking, key, undefined);
        await hephaestus.resume(asking, key, answers[0]);
      }
    },
    act: (url) => migrateInstances({ url, workflow: askingMore, from: 1 }),
    async finish(stage) {
      const { hephaestus, url } = stage;
      await migrateInstances({ url, workflow: askingMore, from: 1 });
      await stage.work();
      for (const key of ["one", "two"]) {
        await again(hephaestus.resume(askingMore, key, answers[1]), "NOT_WAITING");
        await completes(stage, askingMore, key, [...asked, "more"]);
      }
    },
  },
  {
    name: "a cancel of what keeps a delivery",
    statements: ["lock the instance", "turn"],
    async before({ url, sql }) {
      await using hephaestus = engine(url);
      await hephaestus.work({ poll: "20ms" }).ready;
      await hephaestus.start(road, "one", undefined);
      await hephaestus.resume(road, "one", deliveries.approval);
      const kept =
        "select from hephaestus.workflow_instances where control -> 'early' ? 'approval'";
      await seen(sql, `${kept} and control -> 'active' ? 'parcel'`, "the approval is kept");
    },
    act: (url) => engine(url).cancel(road, "one"),
    async finish({ hephaestus }) {
      await again(hephaestus.cancel(road, "one"), "NOT_CANCELLABLE");
      assertEquals((await hephaestus.get(road, "one"))?.status, "cancelled");
      const kept = (await hephaestus.history(road, "one")).find(({ step }) => step === "approval");
      assertEquals(kept?.state, "ignored");
    },
  },
];

function many() {
  return ["a", "b", "c"].map((key) => ({ key, input: undefined }));
}
