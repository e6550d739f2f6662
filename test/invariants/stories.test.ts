import { assertEquals } from "@std/assert";
import {
  AlreadyRunningError,
  choice,
  done,
  join,
  signal,
  step,
  type,
  versioned,
  workflow,
} from "../../mod.ts";
import { eventually, Gate } from "../everywhere.ts";
import { onBackends, onPostgresBackend } from "./backends.ts";
import { assertSound } from "./story.ts";

const gates = new Map<string, Gate>();
const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const slow = step("slow", {
  events: { ok: type<string>() },
  async run({ instance, emit }) {
    await gates.get(`${instance.key} slow`)?.opened;
    return emit.ok("slow", { metadata: { last: "slow" } });
  },
});
const quick = step("quick", {
  events: { ok: type<string>() },
  async run({ instance, emit }) {
    await gates.get(`${instance.key} quick`)?.opened;
    return emit.ok("quick", { metadata: { last: "quick" } });
  },
});
const weigh = choice("weigh", {
  needs: [slow.when("ok"), quick.when("ok")],
  events: { both: type<string>() },
  decide: ({ steps, emit }) => emit.both(`${steps.slow} and ${steps.quick}`),
});
const racing = workflow("racing", { key: "id", input: type(), start: begin })
  .on(begin, { ok: [slow, quick] })
  .on(slow, { ok: join(weigh) })
  .on(quick, { ok: join(weigh) })
  .on(weigh, { both: done })
  .build();

onBackends("parallel branches", (it) => {
  it("come to the same result, whichever ends first", {
    workflows: [racing],
  }, async ({ hephaestus, work }) => {
    await work();
    const stories = [];
    for (const [first, second] of [["slow", "quick"], ["quick", "slow"]] as const) {
      const key = `${first} first`;
      const gate = new Gate();
      gates.set(`id::${key} ${second}`, gate);
      const handle = await hephaestus.start(racing, key, undefined);
      await eventually(
        async () =>
          (await hephaestus.history(racing, key)).some(({ step, state }) =>
            step === first && state === "applied"
          ),
        `${first} is applied`,
      );
      gate.open();
      const { status, metadata } = await handle.result();
      const history = await hephaestus.history(racing, key);
      const outputs = history.map(({ step, event, output }) => `${step} ${event} ${output}`);
      stories.push({ status, metadata, outputs: outputs.sort() });
    }

    assertEquals(stories[0], stories[1]);
    assertEquals(stories[0]?.metadata, { last: "quick" });
  });
});

onBackends("many starts of one key", (it) => {
  it("make exactly one instance, however many race", {
    workflows: [racing],
  }, async ({ hephaestus, another }) => {
    const other = another();

    const starts = await Promise.allSettled(
      Array.from(
        { length: 30 },
        (_, n) => (n % 2 ? hephaestus : other).start(racing, "same", undefined),
      ),
    );

    const won = starts.filter(({ status }) => status === "fulfilled");
    const refused = starts.filter((one) =>
      one.status === "rejected" && one.reason instanceof AlreadyRunningError
    );
    assertEquals([won.length, refused.length], [1, 29]);
    assertEquals((await hephaestus.list()).items.length, 1);
  });
});

const approval = signal("approval", { events: { approved: type<number>() } });
const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const two = step("two", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const v1 = workflow("growing", { key: "id", input: type(), start: approval })
  .on(approval, { approved: one })
  .on(one, { ok: done })
  .build();
const v2 = workflow("growing", { key: "id", input: type(), start: approval, version: 2 })
  .on(approval, { approved: two })
  .on(two, { ok: done })
  .build();
const growing = versioned("growing", { versions: { 1: v1, 2: v2 }, current: 2 });

onBackends("an instance", (it) => {
  it("stays on the version that it started with", {
    workflows: [v1],
  }, async ({ hephaestus, another }) => {
    const handle = await hephaestus.start(v1, "old", undefined);
    const newer = another({ workflows: [growing] });
    await newer.work({ poll: "50ms" }).ready;

    assertEquals(await newer.resume(growing, "old", approval.emit.approved(1)), "accepted");

    await eventually(
      async () => (await newer.get(growing, "old"))?.status === "completed",
      "it completes",
    );
    const history = await newer.history(growing, { id: handle.id });
    assertEquals(history.map(({ step }) => step), ["approval", "one"]);
    assertEquals((await newer.get(growing, { id: handle.id }))?.version, 1);
  });
});

onPostgresBackend("a result of another version", (it) => {
  it("is read and refused", {
    workflows: [growing],
  }, async ({ hephaestus, work, sql }) => {
    const handle = await hephaestus.start(growing, "mixed", undefined, { version: 1 });
    await hephaestus.resume(growing, "mixed", approval.emit.approved(1));
    await sql`update hephaestus.step_results set workflow_version = 2`;

    await work();

    await eventually(
      async () => (await sql`select from hephaestus.step_results where processed`).length === 1,
      "it is read",
    );
    const [entry] = await hephaestus.history(growing, { id: handle.id });
    assertEquals([entry?.step, entry?.state], ["approval", "ignored"]);
    assertEquals((await hephaestus.get(growing, { id: handle.id }))?.active, ["approval"]);
  });
});

const expiring = signal("expiring", { events: { answered: type<number>() }, expires: "15ms" });
const asked = workflow("asked", { key: "id", input: type(), start: expiring })
  .on(expiring, { answered: one, expired: two })
  .on(one, { ok: done })
  .on(two, { ok: done })
  .build();

const patient = workflow("patient", { key: "id", input: type(), start: slow })
  .on(slow, { ok: approval })
  .on(approval, { approved: done })
  .build();

onBackends("a wait", (it) => {
  it("is ended by exactly one of delivery, expiry and cancel", {
    workflows: [asked],
  }, async ({ hephaestus, work, scene, sql }) => {
    await work();
    for (let n = 0; n < 12; n++) {
      const handle = await hephaestus.start(asked, `n${n}`, undefined);
      for (let pause = 0; pause < n; pause++) await hephaestus.get(asked, { id: handle.id });
      // In every fourth turn it has expired for sure.
      if (n % 4 === 1) {
        await scene.elapse(20);
        await eventually(
          async () => (await hephaestus.history(asked, { id: handle.id })).length > 0,
          "it has expired",
        );
      }
      const [answer, cancel] = await Promise.allSettled([
        hephaestus.resume(asked, { id: handle.id }, expiring.emit.answered(n)),
        n % 3 === 0 ? hephaestus.cancel(asked, { id: handle.id }) : Promise.reject(),
      ]);
      const end = await handle.result();
      const ended = (await hephaestus.history(asked, { id: end.id }))
        .filter(({ state }) => state === "applied").map(({ event }) => event);
      if (cancel.status === "fulfilled") assertEquals(end.status, "cancelled");
      else {
        assertEquals(end.status, "completed");
        const accepted = answer.status === "fulfilled" && answer.value === "accepted";
        assertEquals(ended, [accepted ? "answered" : "expired", "ok"]);
      }
      await eventually(
        async () => (await scene.standing(end.id)).every((job) => job.endsWith("cancelled")),
        "no job is left",
      );
    }
    if (sql) await assertSound(sql);
  });

  it("is ended by the first of many deliveries, and the others are told", {
    workflows: [v1],
  }, async ({ hephaestus, another, work }) => {
    const other = another();
    const handle = await hephaestus.start(v1, "many", undefined);

    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) => (n % 2 ? hephaestus : other).resume(v1, "many", approval.emit.approved(n)),
      ),
    );

    assertEquals(answers.filter((answer) => answer === "accepted").length, 1);
    assertEquals(answers.filter((answer) => answer === "duplicate").length, 19);
    await work();
    await handle.result();
    const [entry] = await hephaestus.history(v1, { id: handle.id });
    assertEquals(entry?.output, answers.indexOf("accepted"));
  });

  it("takes what came before it began", {
    workflows: [patient],
  }, async ({ hephaestus, work }) => {
    const gate = new Gate();
    gates.set("id::early slow", gate);
    await work();
    const handle = await hephaestus.start(patient, "early", undefined);

    assertEquals(await hephaestus.resume(patient, "early", approval.emit.approved(7)), "early");
    assertEquals(await hephaestus.resume(patient, "early", approval.emit.approved(8)), "duplicate");
    gate.open();

    assertEquals((await handle.result()).status, "completed");
    const history = await hephaestus.history(patient, { id: handle.id });
    assertEquals(history.map(({ step, output }) => [step, output]), [
      ["slow", "slow"],
      ["approval", 7],
    ]);
  });
});
