import { setTimeout as delay } from "node:timers/promises";
import {
  choice,
  done,
  FatalError,
  type Hephaestus,
  join,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";

const ok = { ok: type() };
const begin = step("begin", {
  events: { go: type<{ readonly text: string }>() },
  run: ({ instance, emit }) => emit.go({ text: instance.key.repeat(20) }),
});
const flaky = step("flaky", {
  events: ok,
  retry: { attempts: 3, backoff: "constant", base: "1ms", max: "1ms" },
  async run({ attempt, abortSignal, emit }) {
    await delay(2, undefined, { signal: abortSignal });
    if (attempt === 1) throw new Error("It works the second time");
    return emit.ok();
  },
});
const nap = timer("nap", "20ms");
const write = step("write", {
  needs: [begin.when("go")],
  events: ok,
  run: ({ steps, tx, emit }) =>
    tx(async (sql) => {
      await sql`select length(${steps.begin.text})`;
      return emit.ok(undefined, { metadata: { written: true } });
    }),
});
const mixed = workflow("mixed", { key: "id", input: type<object>(), start: begin })
  .on(begin, { go: [flaky, nap] })
  .on(flaky, { ok: join(write) })
  .on(nap, { elapsed: join(write) })
  .on(write, { ok: done })
  .build();

const approval = signal("approval", { events: { approved: type<string>() }, expires: "1h" });
const later = step("later", {
  events: { ok: type<string>() },
  async: true,
  expires: "1h",
  run: ({ emit }) => emit.later(),
});
const pick = choice("pick", { events: { yes: type() }, decide: ({ emit }) => emit.yes() });
const asking = workflow("asking", { key: "id", input: type<object>(), start: approval })
  .on(approval, { approved: later, expired: done })
  .on(later, { ok: pick, expired: done })
  .on(pick, { yes: done })
  .build();

const broken = step("broken", {
  events: ok,
  run() {
    throw new FatalError("It never works");
  },
});
const failing = workflow("failing", { key: "id", input: type<object>(), start: broken })
  .on(broken, { ok: done })
  .build();

const end = step("end", { events: ok, run: ({ emit }) => emit.ok() });

/** A workflow of one step that starts `width` steps at once, and of one that waits for all of them. */
// deno-lint-ignore no-explicit-any
export function fanOut(width: number): any {
  const branch = step("branch", { events: ok, run: ({ emit }) => emit.ok() });
  const branches = Array.from({ length: width }, (_, index) => branch.as(`w${index}`));
  // deno-lint-ignore no-explicit-any
  let rows: any = workflow("fan-out", { key: "id", input: type<object>(), start: begin });
  rows = rows.on(begin, { go: branches });
  for (const one of branches) rows = rows.on(one, { ok: join(end) });
  return rows.on(end, { ok: done }).build();
}
const fan = fanOut(20);

export const workflows = [mixed, asking, failing, fan];

type Story = (engine: Hephaestus, key: string) => Promise<unknown>;

const input = { text: "x".repeat(500) };

/** What applications do with an engine, each to its end. */
export const stories: readonly Story[] = [
  async (engine, key) => await (await engine.start(mixed, key, input)).result(),
  async (engine, key) => await (await engine.start(fan, key, input)).result(),
  async (engine, key) => await (await engine.start(failing, key, input)).result(),
  async (engine, key) => {
    const handle = await engine.start(asking, key, input);
    await engine.resume(asking, key, approval.emit.approved("now"));
    await engine.scheduleResume(asking, key, later.emit.ok("soon"), { after: "10ms" });
    await handle.result();
    await engine.history(asking, handle);
  },
  async (engine, key) => {
    const handle = await engine.start(asking, key, input);
    const job = await engine.scheduleResume(asking, key, approval.emit.approved("x"), {
      after: "1h",
    });
    await engine.cancelJob(job);
    await engine.cancel(asking, key, { reason: "the soak" });
    await handle.result();
  },
  async (engine, key) => {
    const first = await engine.start(asking, key, input);
    const second = await engine.start(asking, key, input, { onConflict: "replace" });
    await first.result();
    await engine.cancel(asking, key);
    await second.result();
    await engine.list(asking, { limit: 5 });
  },
  async (engine, key) => {
    const stop = engine.on("step:stop", () => {});
    const waiting = await engine.start(asking, key, input);
    const patience = AbortSignal.timeout(5);
    await waiting.result({ signal: patience }).catch(() => {});
    stop();
    await engine.cancel(asking, key);
  },
];
