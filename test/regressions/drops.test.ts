import { assertEquals, assertRejects } from "@std/assert";
import {
  choice,
  done,
  drop,
  first,
  NotWaitingError,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const [invite, activate, publish] = [work.as("invite"), work.as("activate"), work.as("publish")];
const clicked = signal("clicked", { events: { yes: type<number>() } });

const day = timer("day", "30d");
const remind = work.as("remind");
const onboarding = workflow("onboarding", { key: "user", input: type(), start: invite })
  .on(invite, { ok: [clicked, day] })
  .on(clicked, { yes: [activate, drop(day)] })
  .on(day, { elapsed: remind })
  .on(remind, { ok: done })
  .on(activate, { ok: done })
  .build();

let running = new Gate();
let reason: unknown;
let ran = 0;
const slow = step("slow", {
  events: { ok: type() },
  retry: { attempts: 3, base: "1ms" },
  async run({ abortSignal, emit }) {
    ran++;
    running.open();
    await new Promise<void>((resolve) => abortSignal.addEventListener("abort", () => resolve()));
    reason = abortSignal.reason;
    return emit.ok();
  },
});
const after = work.as("after");
const racing = workflow("racing", { key: "id", input: type(), start: invite })
  .on(invite, { ok: [slow, clicked] })
  .on(clicked, { yes: [activate, drop(slow)] })
  .on(slow, { ok: after })
  .on(after, { ok: done })
  .on(activate, { ok: done })
  .build();

const approval = signal("approval", { events: { yes: type(), no: type() } });
const boss = signal("boss", { events: { yes: type() }, expires: "30d" });
const reject = work.as("reject");
const asked = workflow("asked", { key: "id", input: type(), start: invite })
  .on(invite, { ok: [approval, boss] })
  .on(approval, { yes: [publish, drop(boss)], no: [reject, drop(boss)] })
  .on(boss, { yes: [publish, drop(approval)], expired: [reject, drop(approval)] })
  .on(publish, { ok: done })
  .on(reject, { ok: done })
  .build();

const paid = signal("paid", { events: { ok: type() } });
const held = workflow("held", { key: "id", input: type(), start: invite })
  .on(invite, { ok: [approval, boss] })
  .on(approval, { yes: [paid, drop(boss)], no: [done, drop(boss)] })
  .on(boss, { yes: done, expired: done })
  .on(paid, { ok: done })
  .build();

const escalated = workflow("escalated", { key: "id", input: type(), start: invite })
  .on(invite, { ok: [approval, day] })
  .on(approval, { yes: [paid, drop(day)], no: [done, drop(day)] })
  .on(day, { elapsed: boss })
  .on(boss, { yes: done, expired: done })
  .on(paid, { ok: done })
  .build();

const [one, two] = ["one", "two"].map((name) => signal(name, { events: { won: type() } }));
const won = choice("won", { events: { go: type() }, decide: ({ emit }) => emit.go() });
const either = workflow("either", { key: "id", input: type(), start: invite })
  // deno-lint-ignore no-explicit-any -- their names are not literals
  .on(invite, { ok: [one!, two!] } as any)
  .on(one!, { won: first(won) })
  .on(two!, { won: first(won) })
  .on(won, { go: [publish, drop(one!), drop(two!)] })
  .on(publish, { ok: done })
  .build();

const told: string[] = [];

everywhere("a branch that is dropped", (it) => {
  it("ends with its timers, and its instance completes", { workflows: [onboarding] }, async (t) => {
    told.length = 0;
    t.hephaestus.on("step:drop", ({ step, by }) => void told.push(`${step} by ${by}`));
    await t.work();
    const handle = await t.hephaestus.start(onboarding, "a", undefined);
    const waits = async () => (await t.jobs()).some(({ step }) => step === "day");
    await eventually(waits, "the reminder is scheduled");

    await t.hephaestus.resume(onboarding, "a", clicked.emit.yes(1));

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await t.jobs()).filter(({ kind }) => kind !== "advance"), []);
    const history = await t.hephaestus.history(onboarding, "a");
    assertEquals(history.map(({ step, event, state }) => `${step} ${event} ${state}`), [
      "invite ok applied",
      "clicked yes applied",
      "day __dropped__ applied",
      "activate ok applied",
    ]);
    assertEquals(told, ["day by clicked"]);
  });

  it("aborts the step that runs in it, which is not tried again", {
    workflows: [racing],
  }, async (t) => {
    [running, reason, ran] = [new Gate(), undefined, 0];
    await t.work();
    const handle = await t.hephaestus.start(racing, "a", undefined);
    await running.opened;

    await t.hephaestus.resume(racing, "a", clicked.emit.yes(1));

    assertEquals((await handle.result()).status, "completed");
    await eventually(() => reason !== undefined, "the step is aborted");
    assertEquals((reason as Error).message, `Step "slow" was dropped by "clicked"`);
    const history = await t.hephaestus.history(racing, "a");
    assertEquals(history.map(({ step, event }) => `${step} ${event}`).sort(), [
      "activate ok",
      "clicked yes",
      "invite ok",
      "slow __dropped__",
    ]);
    assertEquals(ran, 1);
    await eventually(async () => (await t.jobs()).length === 0, "no job is left");
  });

  it("is told to who delivers to a wait of it", { workflows: [held] }, async (t) => {
    await t.work();
    const handle = await t.hephaestus.start(held, "a", undefined);
    const isWaiting = async () => (await t.hephaestus.get(held, "a"))?.active.length === 2;
    await eventually(isWaiting, "both wait");
    await t.hephaestus.resume(held, "a", approval.emit.yes());
    const isPaid = async () => (await t.hephaestus.get(held, "a"))?.active.join() === "paid";
    await eventually(isPaid, "it goes on");

    const error = await assertRejects(
      () => t.hephaestus.resume(held, "a", boss.emit.yes()),
      NotWaitingError,
      `signal "boss" is not waiting, its branch was dropped, instance is waiting`,
    );

    assertEquals([error.step, error.event], ["boss", "__dropped__"]);
    assertEquals((await t.jobs()).filter(({ kind }) => kind !== "advance"), []);
    await t.hephaestus.resume(held, "a", paid.emit.ok());
    assertEquals((await handle.result()).status, "completed");
  });

  it("is told to who delivers to a wait of it that has not begun", {
    workflows: [escalated],
  }, async (t) => {
    await t.work();
    await t.hephaestus.start(escalated, "a", undefined);
    const isWaiting = async () => (await t.hephaestus.get(escalated, "a"))?.active.length === 2;
    await eventually(isWaiting, "the approver is asked");
    await t.hephaestus.resume(escalated, "a", approval.emit.yes());
    const isPaid = async () => (await t.hephaestus.get(escalated, "a"))?.active.join() === "paid";
    await eventually(isPaid, "it goes on");

    await assertRejects(
      () => t.hephaestus.resume(escalated, "a", boss.emit.yes()),
      NotWaitingError,
      `signal "boss" is not waiting, its branch was dropped, instance is waiting`,
    );

    const history = await t.hephaestus.history(escalated, "a");
    assertEquals(history.filter(({ step }) => step === "boss"), []);
  });

  it("loses against the delivery that was recorded first in row order", {
    workflows: [asked],
  }, async (t) => {
    await t.hephaestus.start(asked, "a", undefined);
    let worker = await t.work();
    const isWaiting = async () => (await t.hephaestus.get(asked, "a"))?.active.length === 2;
    await eventually(isWaiting, "both wait");
    await worker.stop();
    assertEquals(await t.hephaestus.resume(asked, "a", boss.emit.yes()), "accepted");
    assertEquals(await t.hephaestus.resume(asked, "a", approval.emit.no()), "accepted");

    worker = await t.work();

    const isOver = async () => (await t.hephaestus.get(asked, "a"))?.status === "completed";
    await eventually(isOver, "it is decided");
    const history = await t.hephaestus.history(asked, "a");
    assertEquals(history.map(({ step, event, state }) => `${step} ${event} ${state}`).sort(), [
      "approval no applied",
      "boss yes ignored",
      "invite ok applied",
      "reject ok applied",
    ]);
  });

  it("is that of the other signals, where the first of several counts", {
    workflows: [either],
  }, async (t) => {
    await t.work();
    const handle = await t.hephaestus.start(either, "a", undefined);
    const isWaiting = async () => (await t.hephaestus.get(either, "a"))?.active.length === 2;
    await eventually(isWaiting, "both wait");

    await t.hephaestus.resume(either, "a", two!.emit["won"]!());

    assertEquals((await handle.result()).status, "completed");
    const history = await t.hephaestus.history(either, "a");
    assertEquals(history.map(({ step, event }) => `${step} ${event}`), [
      "invite ok",
      "two won",
      "won go",
      "one __dropped__",
      "publish ok",
    ]);
  });
});
