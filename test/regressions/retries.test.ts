import { describe, it as nodeIt } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  done,
  FatalError,
  Hephaestus,
  join,
  RetryLaterError,
  type RetryPolicy,
  step,
  type,
  type Workflow,
  workflow,
} from "../../mod.ts";
import { drain, fakeClock, memory } from "../../src/testing/mod.ts";
import { eventually, everywhere, Gate, onPostgres, silent } from "../everywhere.ts";

/** A workflow of one step that always fails. */
function failing(name: string, own?: RetryPolicy, ofWorkflow?: RetryPolicy): Workflow {
  const fail = step("fail", {
    events: { ok: type() },
    ...(own && { retry: own }),
    run({ attempt }) {
      throw new Error(`attempt ${attempt}`);
    },
  });
  return workflow(name, {
    key: "id",
    input: type(),
    start: fail,
    ...(ofWorkflow && { retry: ofWorkflow }),
  }).on(fail, { ok: done }).build();
}

/** The delays between the attempts until the step was given up. */
async function delays(hephaestus: Hephaestus, of: Workflow): Promise<readonly number[]> {
  const delays: number[] = [];
  const off = hephaestus.on("job:retry", ({ workflow, delay }) => {
    if (workflow === of.name) delays.push(delay);
  });
  const handle = await hephaestus.start(of, "a", undefined);
  assertEquals((await handle.result()).status, "failed");
  off();
  return delays;
}

everywhere("a failing step", (it) => {
  const linear = failing("linear", { attempts: 4, backoff: "linear", base: "4ms" });
  const constant = failing("constant", { attempts: 4, backoff: "constant", base: "4ms" });
  const bounded = failing("bounded", { attempts: 4, backoff: "linear", base: "4ms", max: "6ms" });
  const doubling = failing("doubling", { attempts: 4, base: "40ms", max: "100ms" });

  it("is repeated with the backoff that its policy says", {
    workflows: [linear, constant, bounded, doubling],
  }, async ({ hephaestus, work }) => {
    await work();

    assertEquals(await delays(hephaestus, linear), [4, 8, 12]);
    assertEquals(await delays(hephaestus, constant), [4, 4, 4]);
    assertEquals(await delays(hephaestus, bounded), [4, 6, 6]);
    const [first, second, third, ...more] = await delays(hephaestus, doubling);
    assert(first! >= 20 && first! <= 40, `${first} after the first attempt`);
    assert(second! >= 40 && second! <= 80, `${second} after the second attempt`);
    assert(third! >= 50 && third! <= 100, `${third} after the third attempt`);
    assertEquals(more, []);
  });

  const quick = failing("quick", { attempts: 3, backoff: "constant", base: "1ms" });

  it("does not wait for a poll when its backoff is shorter", { workflows: [quick] }, async ({
    hephaestus,
    work,
  }) => {
    await work({ poll: "1h" });

    assertEquals(await delays(hephaestus, quick), [1, 1]);
  });

  const library = { attempts: 2, backoff: "constant", base: "2ms" } as const;
  const plain = failing("plain");
  const told = failing("told", undefined, { attempts: 3, base: "3ms" });
  const own = failing("own", { base: "4ms", attempts: 4 }, { attempts: 3, base: "3ms" });
  const mixed = failing("mixed", { base: "4ms" }, { attempts: 3 });

  it("obeys the step, then the workflow, then the library, field by field", {
    workflows: [plain, told, own, mixed],
    retry: library,
  }, async ({ hephaestus, work }) => {
    await work();

    assertEquals(await delays(hephaestus, plain), [2]);
    assertEquals(await delays(hephaestus, told), [3, 3]);
    assertEquals(await delays(hephaestus, own), [4, 4, 4]);
    assertEquals(await delays(hephaestus, mixed), [4, 4]);
  });

  const gate = new Gate();
  const aborted: string[] = [];
  const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const doomed = step("doomed", {
    events: { ok: type() },
    retry: { attempts: 2, base: "1ms" },
    async run({ attempt }) {
      await gate.opened;
      throw new RangeError(`attempt ${attempt}`);
    },
  });
  const sibling = step("sibling", {
    events: { ok: type() },
    run: ({ abortSignal, emit }) =>
      new Promise((resolve) => {
        gate.open();
        abortSignal.addEventListener("abort", () => {
          aborted.push(abortSignal.reason.message);
          resolve(emit.ok());
        });
      }),
  });
  const queued = step("queued", {
    queue: "nobody",
    events: { ok: type() },
    run: ({ emit }) => emit.ok(),
  });
  const end = step("end", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const doom = workflow("doom", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [doomed, sibling, queued] })
    .on(doomed, { ok: join(end) })
    .on(sibling, { ok: join(end) })
    .on(queued, { ok: join(end) })
    .on(end, { ok: done })
    .build();

  it("fails the workflow when it is exhausted, stops its siblings and cancels its jobs", {
    workflows: [doom],
  }, async ({ hephaestus, work, jobs }) => {
    aborted.length = 0;
    await work();
    const handle = await hephaestus.start(doom, "a", undefined);

    const { status, error, active } = await handle.result();

    assertEquals([status, error?.name, error?.message], ["failed", "RangeError", "attempt 2"]);
    assertEquals(active, []);
    await eventually(() => aborted.length === 1, "the sibling is aborted");
    assertEquals(aborted, ['The instance failed in step "doomed"']);
    const last = (await hephaestus.history(doom, "a")).find(({ step }) => step === "doomed");
    assertEquals([last?.event, last?.attempts], ["__failed__", 2]);
    assertEquals(last?.errors.map(({ message }) => message), ["attempt 1", "attempt 2"]);
    const steps = (await jobs()).filter(({ kind }) => kind === "execute");
    assertEquals(steps.map(({ step, state }) => `${step} ${state}`).sort(), [
      "doomed discarded",
      "queued cancelled",
      "sibling cancelled",
    ]);
  });

  const attempts: number[] = [];
  const patient = step("patient", {
    events: { ok: type() },
    retry: { attempts: 1 },
    run({ emit, attempt }) {
      attempts.push(attempt);
      if (attempts.length < 4) throw new RetryLaterError({ after: "1ms", reason: "too early" });
      return emit.ok();
    },
  });
  const lasting = workflow("lasting", { key: "id", input: type(), start: patient })
    .on(patient, { ok: done })
    .build();

  it("is put off by RetryLaterError without using up an attempt", { workflows: [lasting] }, async ({
    hephaestus,
    work,
  }) => {
    attempts.length = 0;
    await work();
    const handle = await hephaestus.start(lasting, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    assertEquals(attempts, [1, 1, 1, 1]);
  });

  let fatal = 0;
  const stolen = step("stolen", {
    events: { ok: type() },
    run() {
      fatal++;
      throw new FatalError("The card was stolen");
    },
  });
  const theft = workflow("theft", { key: "id", input: type(), start: stolen })
    .on(stolen, { ok: done })
    .build();

  it("is not repeated after a FatalError", { workflows: [theft] }, async ({ hephaestus, work }) => {
    fatal = 0;
    await work();
    const handle = await hephaestus.start(theft, "a", undefined);

    const { status, error } = await handle.result();

    assertEquals([status, error?.name, fatal], ["failed", "FatalError", 1]);
  });

  const reasons: unknown[] = [];
  const slow = step("slow", {
    events: { ok: type() },
    timeout: "20ms",
    retry: { attempts: 2, base: "1ms" },
    run: ({ emit, attempt, abortSignal }) =>
      attempt === 2 ? emit.ok() : new Promise<never>(() => {
        abortSignal.addEventListener("abort", () => reasons.push(abortSignal.reason.name));
      }),
  });
  const limited = workflow("limited", { key: "id", input: type(), start: slow })
    .on(slow, { ok: done })
    .build();

  it("is aborted at its time limit, which is a failed attempt", { workflows: [limited] }, async ({
    hephaestus,
    work,
  }) => {
    reasons.length = 0;
    await work();
    const handle = await hephaestus.start(limited, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    assertEquals(reasons, ["StepTimeoutError"]);
    const [entry] = await hephaestus.history(limited, "a");
    assertEquals(entry?.attempts, 2);
    assertStringIncludes(entry!.errors[0]!.message, "it exceeded its time limit of 20 ms");
  });
});

onPostgres("a failing step", (it) => {
  const hourly = failing("hourly", { attempts: 4, backoff: "linear", base: "1h", max: "2h" });

  it("waits in the database for as long as its backoff says", { workflows: [hourly] }, async ({
    hephaestus,
    work,
    sql,
  }) => {
    const taken: number[] = [];
    await work();
    const handle = await hephaestus.start(hourly, "a", undefined);
    for (const attempt of [1, 2, 3]) {
      const job = async () =>
        (await sql!`select extract(epoch from scheduled_at - now()) / 3600 as hours
          from hephaestus.jobs where state = 'retryable' and attempt = ${attempt}`)[0];
      await eventually(async () => await job() !== undefined, `attempt ${attempt} has failed`);
      taken.push(Math.ceil((await job())!.hours));
      await sql!`update hephaestus.jobs set scheduled_at = now() where state = 'retryable'`;
    }

    assertEquals((await handle.result()).status, "failed");
    assertEquals(taken, [1, 2, 2]);
  });
});

describe("a failing step (memory, on a clock of its own)", () => {
  const hourly = failing("hourly", { attempts: 3, backoff: "linear", base: "1h", max: "1d" });

  nodeIt("runs again when its backoff has passed, and not before", async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    await using hephaestus = new Hephaestus({ backend, workflows: [hourly], logger: silent });
    const started: number[] = [];
    const begun = clock.now();
    hephaestus.on("step:start", () => void started.push((clock.now() - begun) / 60_000));
    await hephaestus.work().ready;
    const handle = await hephaestus.start(hourly, "a", undefined);

    for (let passed = 0; passed < 4 * 60; passed += 10) {
      await drain(backend);
      clock.advance("10m");
    }

    assertEquals((await handle.result()).status, "failed");
    assertEquals(started, [0, 60, 180]);
  });
});
