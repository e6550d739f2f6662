import { describe, it as once } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { done, Hephaestus, RetryLaterError, step, type, workflow } from "../../mod.ts";
import type { RetryPolicy } from "../../mod.ts";
import { fakeClock, memory } from "../../src/testing/mod.ts";
import { everywhere, silent } from "../everywhere.ts";

const plan = step("plan", {
  events: { planned: type<{ readonly until: string }>() },
  run: ({ emit }) => emit.planned({ until: new Date(Date.now() + 100).toISOString() }),
});
const tell = step("tell", { events: { told: type() }, run: ({ emit }) => emit.told() });

/** Runs until it is aborted, and at most for five seconds. */
const hang = <Emitted>(
  { abortSignal, emit }: { readonly abortSignal: AbortSignal; readonly emit: { ok(): Emitted } },
) =>
  new Promise<Emitted>((resolve, reject) => {
    const end = setTimeout(() => resolve(emit.ok()), 5_000);
    abortSignal.addEventListener("abort", () => {
      clearTimeout(end);
      reject(abortSignal.reason);
    });
  });

everywhere("a step with a deadline", (it) => {
  const slow = step("slow", {
    needs: [plan.when("planned")],
    events: { ok: type() },
    deadline: ({ steps }) => new Date(steps.plan.until),
    run: hang,
  });
  const fails = workflow("fails", { key: "id", input: type(), start: plan })
    .on(plan, { planned: slow })
    .on(slow, { ok: done })
    .build();

  it("is aborted when it has passed, and fails its instance", {
    workflows: [fails],
  }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(fails, "a", undefined);

    const { status, error } = await handle.result();

    assertEquals([status, error?.code], ["failed", "DEADLINE"]);
    const history = await hephaestus.history(fails, "a");
    const { until } = history[0]?.output as { until: string };
    assertEquals(error?.message, `Cannot finish step "slow": its deadline ${until} has passed`);
    assertEquals(history[1]?.attempts, 1);
    assert(history[1]!.at.getTime() >= Date.parse(until) - 20, "not before its deadline");
  });

  const retried = <const Name extends string>(
    name: Name,
    retry: RetryPolicy,
    thrown: () => Error,
  ) =>
    step(name, {
      events: { ok: type() },
      deadline: "10m",
      retry,
      run() {
        throw thrown();
      },
    });
  const hourly = retried("hourly", { base: "1h", max: "1h" }, () => new Error("down"));
  const snoozed = retried("snoozed", {}, () => new RetryLaterError({ after: "1h" }));
  const first = workflow("hourly", { key: "id", input: type(), start: hourly })
    .on(hourly, { ok: done, failed: tell })
    .on(tell, { told: done })
    .build();
  const second = workflow("snoozed", { key: "id", input: type(), start: snoozed })
    .on(snoozed, { ok: done, failed: tell })
    .on(tell, { told: done })
    .build();

  for (const flow of [first, second]) {
    it(`takes its road for failed at once when the next attempt would be late: ${flow.name}`, {
      workflows: [flow],
    }, async ({ hephaestus, work, jobs }) => {
      await work();
      const handle = await hephaestus.start(flow, "a", undefined);

      assertEquals((await handle.result()).status, "completed");

      const [failed] = await hephaestus.history(flow, "a");
      const { code, message, attempts, cause } = failed?.output as Record<string, unknown>;
      assertEquals([failed?.event, code, attempts], ["failed", "DEADLINE", 1]);
      const sentence =
        `Cannot finish step "${flow.name}": it has not ended, and its next attempt would begin after its deadline `;
      assertEquals(String(message).slice(0, sentence.length), sentence);
      assertEquals(typeof (cause as Error).message, "string");
      assertEquals((await jobs()).filter(({ state }) => state !== "discarded"), []);
    });
  }

  const loose = step("loose", {
    events: { ok: type() },
    deadline: "1h",
    run: ({ attempt, emit }) => {
      if (attempt < 3) throw new Error("not yet");
      return emit.ok();
    },
    retry: { base: "1ms", attempts: 3 },
  });
  const passes = workflow("passes", { key: "id", input: type(), start: loose })
    .on(loose, { ok: done })
    .build();

  it("is retried within it", { workflows: [passes] }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(passes, "a", undefined);

    assertEquals((await handle.result()).status, "completed");
  });

  const written = step("written", {
    events: { ok: type() },
    deadline: "60ms",
    run: ({ tx }) => tx(() => new Promise(() => {})),
  });
  const transacts = workflow("transacts", { key: "id", input: type(), start: written })
    .on(written, { ok: done })
    .build();

  it("is aborted in its transaction", { workflows: [transacts] }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(transacts, "a", undefined);

    assertEquals((await handle.result()).error?.code, "DEADLINE");
  });
});

describe("the attempts of a step with a deadline", () => {
  once("do not begin when nobody had time for them before", async () => {
    let runs = 0;
    const call = step("call", {
      events: { ok: type() },
      deadline: "1m",
      run: ({ emit }) => emit.ok(void runs++),
    });
    const calls = workflow("calls", { key: "id", input: type(), start: call })
      .on(call, { ok: done })
      .build();
    const clock = fakeClock();
    const backend = memory({ clock });
    await using hephaestus = new Hephaestus({ backend, workflows: [calls], logger: silent });
    await hephaestus.start(calls, "a", undefined);
    clock.advance("2m");
    await using _worker = hephaestus.work();

    const { error } = await (await hephaestus.handle(calls, "a"))!.result();

    assertEquals([error?.code, runs], ["DEADLINE", 0]);
  });

  for (const inline of [true, false]) {
    once(`end before it, ${inline ? "inline" : "through jobs"}`, async () => {
      const began: number[] = [];
      const clock = fakeClock(0);
      const call = step("call", {
        events: { ok: type() },
        deadline: "150m",
        retry: { base: "1h", max: "1h", backoff: "constant", attempts: 9 },
        run() {
          began.push(clock.now() / 60_000);
          throw new Error("down");
        },
      });
      const calls = workflow("calls", { key: "id", input: type(), start: call })
        .on(call, { ok: done })
        .build();
      const backend = memory({ clock });
      const logger = silent;
      await using hephaestus = new Hephaestus({ backend, workflows: [calls], inline, logger });
      await using _worker = hephaestus.work();
      await hephaestus.start(calls, "a", undefined);

      await clock.run("5h");

      assertEquals(began, [0, 60, 120]);
      const { status, error, finishedAt } = (await hephaestus.get(calls, "a"))!;
      assertEquals([status, error?.code], ["failed", "DEADLINE"]);
      // Not at its deadline: it was known before that no attempt could succeed.
      assertEquals(finishedAt, new Date(120 * 60_000));
    });
  }
});
