import { assertEquals } from "@std/assert";
import { again, done, signal, step, type, undo, workflow } from "../../mod.ts";
import { eventually, everywhere } from "../everywhere.ts";

const said: string[] = [];
const keys: string[] = [];
const hold = step("hold", {
  events: { held: type<string>() },
  run: ({ emit }) => emit.held("h-1"),
  undo: { held: ({ output }) => void said.push(`release ${output}`) },
});

let tries = 0;
const stubborn = step("stubborn", {
  needs: [hold.when("held")],
  events: { done: type() },
  run: ({ emit }) => emit.done(),
  undo: {
    done({ attempt, idempotencyKey }) {
      tries = attempt;
      keys.push(idempotencyKey);
      throw new Error("The other system is down");
    },
  },
  undoRetry: { attempts: 3, base: "1ms" },
});
const beside = hold.as("beside");
const stuck = workflow("stuck", { key: "id", input: type(), start: hold })
  .on(hold, { held: [stubborn, beside] })
  .on(stubborn, { done: undo })
  .on(beside, { held: done })
  .build();

const unsure = step("unsure", {
  events: { sure: type() },
  retry: { attempts: 2, base: "1ms" },
  run: () => {
    throw new Error("No answer");
  },
  undo: {
    failed({ output, stepIdempotencyKey }) {
      said.push(`${output.message}, ${output.attempts} attempts, ${stepIdempotencyKey.slice(-8)}`);
    },
  },
});
const asking = workflow("asking", { key: "id", input: type(), start: unsure, undoOn: ["failed"] })
  .on(unsure, { sure: done })
  .build();
const handled = workflow("handled", { key: "id", input: type(), start: unsure })
  .on(unsure, { sure: done, failed: undo })
  .build();

const draw = step("draw", {
  rounds: type<number>(),
  events: { drawn: type<number>() },
  run: ({ rounds, emit }) => emit.drawn(rounds.length + 1),
});
const place = step("place", {
  needs: [draw.when("drawn")],
  events: { placed: type<number>() },
  run: ({ steps, emit }) => emit.placed(steps.draw),
  undo: {
    placed: ({ output, steps, activation }) =>
      void said.push(`${activation} ${output} ${steps.draw}`),
  },
});
const looping = workflow("looping", { key: "id", input: type(), start: draw })
  .on(draw, { drawn: place })
  .on(place, { placed: again(draw, { limit: 3, then: undo }) })
  .build();

const outside = step("outside", {
  async: true,
  events: { ended: type<string>() },
  run: ({ emit }) => emit.later(),
  undo: { ended: ({ output }) => void said.push(`undo ${output}`) },
});
const refuse = signal("refuse", { events: { now: type() } });
const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const open = workflow("open", { key: "id", input: type(), start: begin })
  .on(begin, { ok: [outside, refuse] })
  .on(outside, { ended: done })
  .on(refuse, { now: undo })
  .build();

const never = signal("never", { events: { said: type() } });
const limited = (undoOn: readonly "failed"[]) =>
  workflow("limited", { key: "id", input: type(), start: hold, deadline: "50ms", undoOn })
    .on(hold, { held: [begin, never] })
    .on(begin, { ok: done })
    .on(never, { said: done })
    .build();
const [late, lost] = [limited(["failed"]), limited([])];

let firstTry = true;
const slow = step("slow", {
  events: { ok: type() },
  run: ({ emit }) => emit.ok(),
  undo: {
    ok() {
      if (!firstTry) return;
      firstTry = false;
      throw new Error("Not yet");
    },
  },
  undoRetry: { base: "150ms", max: "150ms" },
});
const overdue = workflow("overdue", { key: "id", input: type(), start: slow, deadline: "100ms" })
  .on(slow, { ok: undo })
  .build();

const story = (entries: readonly { readonly step: string; readonly event: string }[]) =>
  entries.map(({ step, event }) => `${step} ${event}`);

everywhere("the code that undoes a step", (it) => {
  it(
    "fails if something cannot be undone, and undoes the rest",
    { workflows: [stuck] },
    async (t) => {
      said.length = 0;
      await t.work();

      const end = await (await t.hephaestus.start(stuck, "a", undefined)).result();

      assertEquals([end.status, end.error?.code, tries], ["failed", "UNDO_FAILED", 3]);
      assertEquals(
        end.error?.message,
        'Cannot undo "stubborn": all attempts have failed. The history has their errors. ' +
          "What these steps were started by is not undone either",
      );
      const history = await t.hephaestus.history(stuck, "a");
      const failed = history.find(({ step }) => step === "~stubborn");
      assertEquals([failed?.event, failed?.attempts, failed?.errors.length], ["__failed__", 3, 3]);
      assertEquals(new Set(keys.slice(-3)).size, 1);
      assertEquals(history.some(({ step }) => step === "~hold"), false);
    },
  );

  it("hands over the failure of a step whose outcome is unknown", {
    workflows: [asking, handled],
  }, async (t) => {
    said.length = 0;
    await t.work();

    for (const [flow, status] of [[asking, "failed"], [handled, "undone"]] as const) {
      const end = await (await t.hephaestus.start(flow, "a", undefined)).result();
      assertEquals([end.status, said.pop()], [status, "No answer, 2 attempts, unsure/1"]);
    }
  });

  it("undoes each round, the last one first, as it was", { workflows: [looping] }, async (t) => {
    said.length = 0;
    await t.work();

    const end = await (await t.hephaestus.start(looping, "a", undefined)).result();

    assertEquals(end.status, "undone");
    assertEquals(said, ["3 3 3", "2 2 2", "1 1 1"]);
  });

  it("waits for a delivery to a step that can be undone", { workflows: [open] }, async (t) => {
    said.length = 0;
    await t.work();
    const handle = await t.hephaestus.start(open, "a", undefined);
    const waits = async () => (await t.hephaestus.get(open, "a"))?.status === "waiting";
    await eventually(waits, "both wait");
    await t.hephaestus.resume(open, "a", refuse.emit.now());
    const undoes = async () => (await t.hephaestus.get(open, "a"))?.status === "undoing";
    await eventually(undoes, "it undoes");

    assertEquals(await t.hephaestus.resume(open, "a", outside.emit.ended("late")), "accepted");

    assertEquals((await handle.result()).status, "undone");
    assertEquals(said, ["undo late"]);
  });

  it("runs when a deadline has passed, if it is asked for before a failure", {
    workflows: [late],
  }, async (t) => {
    said.length = 0;
    await t.work();

    const end = await (await t.hephaestus.start(late, "a", undefined)).result();

    assertEquals([end.status, end.error?.code, said], ["failed", "DEADLINE", ["release h-1"]]);
    assertEquals((await t.jobs()).filter(({ state }) => state !== "cancelled"), []);
    const history = await t.hephaestus.history(late, "a");
    const told = story(history).filter((text) => !text.startsWith("begin "));
    assertEquals(told, ["hold held", "never __dropped__", "~hold undone"]);
  });

  it("does not run when a deadline has passed otherwise", { workflows: [lost] }, async (t) => {
    said.length = 0;
    await t.work();

    const end = await (await t.hephaestus.start(lost, "a", undefined)).result();

    assertEquals([end.status, end.error?.code, said], ["failed", "DEADLINE", []]);
  });

  it("is not stopped by a deadline that passes meanwhile", { workflows: [overdue] }, async (t) => {
    firstTry = true;
    await t.work();

    const end = await (await t.hephaestus.start(overdue, "a", undefined)).result();

    assertEquals([end.status, end.error], ["undone", undefined]);
    const history = await t.hephaestus.history(overdue, "a");
    assertEquals(history.map(({ step, attempts }) => [step, attempts]), [["slow", 1], [
      "~slow",
      2,
    ]]);
  });
});
