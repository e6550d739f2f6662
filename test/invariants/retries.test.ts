import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { again, done, type, workflow } from "../../mod.ts";
import type { WorkflowRetry } from "../../src/core/events.ts";
import { eventually, Gate } from "../everywhere.ts";
import { type Bench, onBackends, onPostgresBackend, type PostgresBench } from "./backends.ts";
import {
  begun,
  broken,
  clear,
  ends,
  failedIn,
  gates,
  left,
  opens,
  order,
  returned,
  told,
} from "./failing_orders.ts";
import { assertSound } from "./story.ts";

const refused = (work: Promise<unknown>, sentence: string) =>
  assertRejects(() => work, Error, sentence);

onBackends("a retry", (it) => {
  it("goes on from what has failed and was cut off, and tells who asked for it", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work } = bench;
    clear("left");
    const gate = new Gate();
    gates.set("right#1", gate);
    const heard: WorkflowRetry[] = [];
    hephaestus.on("workflow:retry", (payload) => void heard.push(payload));
    await work();
    const id = await failedIn(bench, order);
    clear();

    await hephaestus.retry(order, "a", { by: "maria", reason: "The gateway is back" });
    gate.open();

    assertEquals(await ends(bench, order), "completed");
    assertEquals(begun.sort(), ["left#2 under 1", "right#2 under 1", "ships#1 under 1"]);
    const retried = {
      by: "maria",
      reason: "The gateway is back",
      restarted: ["left#2", "right#2"],
    };
    const history = await hephaestus.history(order, { id });
    const act = history.find(({ step }) => step === "^");
    assertEquals([act?.event, act?.state, act?.output], ["__retried__", "applied", retried]);
    const { restarted, by, instance } = heard[0]!;
    assertEquals([heard.length, by, restarted, instance], [1, "maria", retried.restarted, id]);
    const end = await hephaestus.get(order, "a");
    assertEquals([end?.error, end?.id], [undefined, id]);
  });

  it("is possible again and again", { workflows: [order] }, async (bench) => {
    const { hephaestus, work } = bench;
    clear("left", "ships");
    await work();
    await failedIn(bench, order);
    for (const next of ["ships", "ships"]) {
      clear(next);
      await hephaestus.retry(order, "a");
      assertEquals(await ends(bench, order), "failed");
    }
    clear();

    await hephaestus.retry(order, "a");

    assertEquals(await ends(bench, order), "completed");
    const history = await told(bench, order);
    assertEquals(history.filter((text) => !text.startsWith("right")), [
      "opens#1 ok",
      "left#1 __failed__",
      "^#1 __retried__",
      "left#2 ok",
      "ships#1 __failed__",
      "^#2 __retried__",
      "ships#2 __failed__",
      "^#3 __retried__",
      "ships#3 ok",
    ]);
    assertEquals(begun, ["ships#3 under 1"]);
  });

  it(
    "ignores what a step that was cut off still returns",
    { workflows: [order] },
    async (bench) => {
      const { hephaestus, another, work } = bench;
      clear("left");
      const [failing, late, gate] = [new Gate(), new Gate(), new Gate()];
      gates.set("left#1", failing).set("right#1", late).set("right#2", gate);
      await work();
      const handle = await hephaestus.start(order, "a", undefined);
      await eventually(() => begun.includes("right#1 under 1"), "both run");
      failing.open();
      await handle.result();
      broken.clear();
      await another().retry(order, "a");
      const isLast = async () => (await hephaestus.get(order, "a"))?.active.join() === "right";
      await eventually(async () => await isLast() && begun.includes("right#2 under 1"), "it runs");

      late.open();
      await eventually(() => returned.includes("right#1"), "the late one has returned");
      gate.open();

      assertEquals(await ends(bench, order), "completed");
      const rights = (await told(bench, order)).filter((text) => text.startsWith("right"));
      assertEquals(rights, ["right#2 ok"]);
    },
  );

  const endless = workflow("endless", { key: "id", input: type(), start: left })
    .on(left, { ok: again(left, { limit: 2 }) })
    .build();

  it("is refused with a sentence where it makes no sense", {
    workflows: [order, endless],
  }, async (bench) => {
    const { hephaestus, work, another } = bench;
    clear("opens");
    await refused(
      hephaestus.retry(order, "a"),
      'Cannot retry order "id::a": no such instance exists',
    );
    await hephaestus.start(order, "a", undefined);
    await refused(
      hephaestus.retry(order, "a"),
      'Cannot retry order "id::a": instance is pending, and only an instance that has failed can be retried',
    );
    await work();
    const id = await failedAt(bench, "a");
    clear();
    await failedIn(bench, endless, "b");
    await refused(
      hephaestus.retry(endless, "b"),
      'Cannot retry endless "id::b": no step of it has failed. The event "left.ok" would lead back to "left", but its rounds are used up (limit 2)',
    );
    const options: [object, string][] = [
      [{ by: 7 }, "Cannot retry: the option by is not a string"],
      [{ reason: {} }, "Cannot retry: the option reason is not a string"],
      [{ reson: "x" }, 'Cannot retry: there is no option "reson". Did you mean "reason"?'],
      [{ by: "\0" }, 'Cannot store options of a retry: value at "by" contains'],
    ];
    for (const [option, sentence] of options) {
      await refused(hephaestus.retry(order, "a", option), sentence);
    }
    const other = workflow("order", { key: "id", input: type(), start: opens })
      .on(opens, { ok: done })
      .build();
    await refused(another({ workflows: [] }).retry(other, "a"), 'Cannot retry workflow "order"');
    const gate = new Gate();
    gates.set("right#1", gate);
    await hephaestus.start(order, "a", undefined);
    await refused(
      hephaestus.retry(order, { id }),
      'Cannot retry order "id::a": its key is taken by',
    );
    assertEquals((await hephaestus.get(order, { id }))?.status, "failed");
    await hephaestus.cancel(order, "a");
    gate.open();

    await hephaestus.retry(order, { id });

    await eventually(
      async () => (await hephaestus.get(order, { id }))?.status === "completed",
      "the older instance completes",
    );
  });

  async function failedAt({ hephaestus }: Bench, key: string): Promise<string> {
    const end = await (await hephaestus.handle(order, key))!.result();
    assertEquals(end.status, "failed");
    return end.id;
  }

  it("is written once of ten at the same time", { workflows: [order] }, async (bench) => {
    const { hephaestus, work } = bench;
    clear("opens");
    await work();
    await failedIn(bench, order);
    clear();

    const tries = Array.from({ length: 10 }, () => hephaestus.retry(order, "a"));
    const answers = await Promise.allSettled(tries);

    assertEquals(answers.filter(({ status }) => status === "fulfilled").length, 1);
    assertEquals(await ends(bench, order), "completed");
    assertEquals(begun.filter((text) => text.startsWith("opens")), ["opens#2 under 1"]);
  });
});

onPostgresBackend("a retry in the caller's transaction", (it) => {
  it("commits with it or not at all", { workflows: [order] }, async (bench) => {
    const { hephaestus, work, sql } = bench;
    clear("opens");
    await work();
    await failedIn(bench, order);
    clear();
    const before = await hephaestus.get(order, "a");

    await assertRejects(() =>
      sql.begin(async (tx) => {
        await hephaestus.retry(order, "a", { tx });
        throw new Error("no");
      })
    );
    assertEquals(await hephaestus.get(order, "a"), before);
    await sql.begin((tx) => hephaestus.retry(order, "a", { tx }));

    assertEquals(await ends(bench, order), "completed");
    assertStringIncludes((await told(bench, order)).join(), "opens#1 __failed__,^#1 __retried__");
  });
});

onPostgresBackend("a retry and what meets it", (it) => {
  const code = (work: Promise<unknown>) =>
    work.then(() => "done", (error: { readonly code?: string }) => error.code);
  const isBlocked = (sql: PostgresBench["sql"]) => async () =>
    (await sql`select from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`).length > 0;

  it("has its instance for itself: of two retries the second one finds it active", {
    workflows: [order],
  }, async (bench) => {
    const { hephaestus, work, sql } = bench;
    clear("opens");
    const worker = await work();
    await failedIn(bench, order);
    await worker.stop();

    const seconds: Promise<string | undefined>[] = [];
    await sql.begin(async (tx) => {
      await hephaestus.retry(order, "a", { tx });
      seconds.push(code(hephaestus.retry(order, "a")), code(hephaestus.cancel(order, "a")));
      await eventually(isBlocked(sql), "the others wait");
    });

    assertEquals(await seconds[0], "NOT_RETRYABLE");
    const late = await seconds[1];
    if (late === "NOT_CANCELLABLE") await hephaestus.cancel(order, "a");
    assertEquals((await hephaestus.get(order, "a"))?.status, "cancelled");
    assertEquals(await code(hephaestus.retry(order, "a")), "NOT_RETRYABLE");
    await assertSound(sql);
  });

  for (const how of ["commits", "rolls back"] as const) {
    it(`shares its key with nobody: a start beside it that ${how}`, {
      workflows: [order],
    }, async (bench) => {
      const { hephaestus, work, sql } = bench;
      clear("opens");
      const worker = await work();
      const id = await failedIn(bench, order);
      await worker.stop();

      let retried: Promise<string | undefined> | undefined;
      const began = sql.begin(async (tx) => {
        await hephaestus.start(order, "a", undefined, { tx });
        retried = code(hephaestus.retry(order, { id }));
        await eventually(isBlocked(sql), "the retry waits for the key");
        if (how === "rolls back") throw new RangeError("no");
      });

      await began.catch((error) => assertEquals((error as Error).name, "RangeError"));
      assertEquals(await retried, how === "commits" ? "NOT_RETRYABLE" : "done");
      assertEquals((await hephaestus.get(order, { id }))?.status === "failed", how === "commits");
      await assertSound(sql);
    });
  }

  it(
    "keeps its key from a start that comes while it is open",
    { workflows: [order] },
    async (bench) => {
      const { hephaestus, work, sql } = bench;
      clear("opens");
      const worker = await work();
      await failedIn(bench, order);
      await worker.stop();

      let started: Promise<string | undefined> | undefined;
      await sql.begin(async (tx) => {
        await hephaestus.retry(order, "a", { tx });
        started = code(hephaestus.start(order, "a", undefined));
        await eventually(isBlocked(sql), "the start waits for the key");
      });

      assertEquals(await started, "ALREADY_RUNNING");
      await assertSound(sql);
    },
  );
});
