import * as v from "valibot";
import { z } from "zod";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { done, InvalidValueError, signal, step, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

const seen: unknown[] = [];
const question = signal("question", {
  events: {
    answered: z.object({ by: z.string().default("nobody"), age: z.string().transform(Number) }),
  },
});
const count = step("count", {
  input: v.object({ n: v.optional(v.number(), 1), tags: v.array(v.string()) }),
  needs: [question.when("answered")],
  events: { counted: z.object({ total: z.number().default(40), at: z.coerce.number() }) },
  run({ input, steps, emit }) {
    seen.push({ input, answer: steps.question });
    return emit.counted({ at: "7" });
  },
});
const report = step("report", {
  needs: [count.when("counted")],
  events: { reported: type<number>() },
  run: ({ steps, emit }) => emit.reported(steps.count.total + steps.count.at),
});
const survey = workflow("survey", {
  key: "id",
  input: v.object({ n: v.optional(v.number(), 1), tags: v.array(v.string()) }),
  start: question,
})
  .on(question, { answered: count })
  .on(count, { counted: report })
  .on(report, { reported: done })
  .build();

// In plain JavaScript, no compiler refuses these.
const date: never = z.coerce.date() as never;
const dated = step("dated", {
  events: { ok: date },
  retry: { attempts: 1 },
  run: ({ emit }) => (emit.ok as (at: string) => never)("2026-11-26"),
});
const calendar = workflow("calendar", { key: "id", input: type(), start: dated })
  .on(dated, { ok: done })
  .build();
const undated = step("undated", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const agenda = workflow("agenda", { key: "id", input: date, start: undated })
  .on(undated, { ok: done })
  .build();
const reminder = signal("reminder", { events: { due: date } });
const diary = workflow("diary", { key: "id", input: type(), start: reminder })
  .on(reminder, { due: done } as never)
  .build();

everywhere("a schema that turns values into others", (it) => {
  it(
    "is given what it takes, and steps get what it puts out",
    { workflows: [survey] },
    async ({ hephaestus, work }) => {
      seen.length = 0;
      await work();
      const handle = await hephaestus.start(survey, "a", { tags: ["x"] });
      await hephaestus.resume(survey, "a", question.emit.answered({ age: "30" }));

      const { input } = await handle.result();

      assertEquals(input, { n: 1, tags: ["x"] });
      assertEquals(seen, [{
        input: { n: 1, tags: ["x"] },
        answer: { by: "nobody", age: 30 },
      }]);
      const history = await hephaestus.history(survey, handle);
      assertEquals(history.map(({ output }) => output), [
        { by: "nobody", age: 30 },
        { total: 40, at: 7 },
        47,
      ]);
    },
  );

  it(
    "fails its step when it puts out what JSON cannot represent",
    { workflows: [calendar] },
    async ({ hephaestus, work }) => {
      await work();
      const handle = await hephaestus.start(calendar, "a", undefined);

      const { status, error } = await handle.result();

      assertEquals(status, "failed");
      assertStringIncludes(error!.message, `output of step "dated"`);
      assertStringIncludes(error!.message, "a Date");
    },
  );

  it(
    "is refused as input and as delivery when it does",
    { workflows: [agenda, diary] },
    async ({ hephaestus }) => {
      await hephaestus.start(diary, "a", undefined);
      const delivery = { step: "reminder", event: "due", output: "2026-11-26" };

      await assertRejects(
        () => hephaestus.start(agenda, "a", "2026-11-26" as never),
        InvalidValueError,
        "a Date",
      );
      await assertRejects(
        () => hephaestus.resume(diary, "a", delivery as never),
        InvalidValueError,
        "a Date",
      );
      assertEquals(await hephaestus.get(agenda, "a"), undefined);
      assertEquals((await hephaestus.get(diary, "a"))?.status, "waiting");
    },
  );
});
