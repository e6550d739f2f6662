import { assertEquals } from "@std/assert";
import { done, join, NotWaitingError, signal, step, timer, type, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

const plain = <const Name extends string>(name: Name) =>
  step(name, { events: { ok: type() }, run: ({ emit }) => emit.ok() });

everywhere("parallel waits", (it) => {
  let runs = 0;
  const gate = new Gate();
  const fork = plain("fork");
  const [one, two] = [
    signal("one", { events: { given: type<number>() } }),
    signal("two", { events: { given: type<number>() } }),
  ];
  const outside = step("outside", {
    async: true,
    events: { given: type<number>() },
    run({ emit }) {
      runs++;
      return emit.later();
    },
  });
  const busy = step("busy", {
    events: { ok: type() },
    run: async ({ emit }) => (await gate.opened, emit.ok()),
  });
  const sum = step("sum", {
    needs: [one.when("given"), two.when("given"), outside.when("given")],
    events: { summed: type<number>() },
    run: ({ steps, emit }) => emit.summed(steps.one + 10 * steps.two + 100 * steps.outside),
  });
  const waits = workflow("waits", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [one, two, outside, busy] })
    .on(one, { given: join(sum) })
    .on(two, { given: join(sum) })
    .on(outside, { given: join(sum) })
    .on(busy, { ok: join(sum) })
    .on(sum, { summed: done })
    .build();

  it("do not overwrite each other, and a waiting step is not executed again", {
    workflows: [waits],
  }, async ({ hephaestus, work }) => {
    runs = 0;
    await work();
    const handle = await hephaestus.start(waits, "a", undefined);
    const active = async () => (await hephaestus.get(waits, "a"))!;
    const asynchronous = new Promise<void>((resolve) => {
      hephaestus.on("step:async", () => resolve());
    });

    await asynchronous;
    await eventually(async () => (await active()).active.length === 4, "all four are active");
    assertEquals((await active()).status, "running");
    gate.open();
    await eventually(async () => (await active()).status === "waiting", "only waits are left");
    assertEquals([...(await active()).active].sort(), ["one", "outside", "two"]);
    assertEquals(await hephaestus.resume(waits, "a", two.emit.given(2)), "accepted");
    await eventually(async () => (await active()).active.length === 2, "the second wait ends");
    assertEquals((await active()).status, "waiting");
    assertEquals(await hephaestus.resume(waits, "a", outside.emit.given(3)), "accepted");
    assertEquals(await hephaestus.resume(waits, "a", one.emit.given(1)), "accepted");

    assertEquals((await handle.result()).status, "completed");
    assertEquals(runs, 1);
    const last = (await hephaestus.history(waits, "a")).at(-1);
    assertEquals([last?.step, last?.output], ["sum", 321]);
  });
});

everywhere("a timer", (it) => {
  const [nap, other] = [timer("nap", "20ms"), timer("other", "30ms")];
  const begin = plain("begin");
  const end = plain("end");
  const rest = workflow("rest", { key: "id", input: type(), start: begin })
    .on(begin, { ok: [nap, other] })
    .on(nap, { elapsed: join(end) })
    .on(other, { elapsed: join(end) })
    .on(end, { ok: done })
    .build();

  it("fires by itself, beside another one", { workflows: [rest] }, async ({ hephaestus, work }) => {
    await work({ poll: "1h" });
    const handle = await hephaestus.start(rest, "a", undefined);

    assertEquals((await handle.result()).status, "completed");

    const told = await hephaestus.history(rest, "a");
    assertEquals(told.map(({ step }) => step).sort(), ["begin", "end", "nap", "other"]);
  });
});

everywhere("a delivery", (it) => {
  let gate = new Gate();
  const runs: string[] = [];
  const begin = step("begin", {
    events: { ok: type<string>() },
    async run({ emit, instance }) {
      runs.push(instance.key);
      await gate.opened;
      return emit.ok("begun");
    },
  });
  const approval = signal("approval", { events: { approved: type<{ readonly by: string }>() } });
  const ship = step("ship", {
    needs: [approval.when("approved"), begin.when("ok")],
    events: { shipped: type<string>() },
    run: ({ steps, emit }) => emit.shipped(`${steps.begin} ${steps.approval.by}`),
  });
  const order = workflow("order", { key: "orderid", input: type(), start: begin })
    .on(begin, { ok: approval })
    .on(approval, { approved: ship })
    .on(ship, { shipped: done })
    .build();
  const by = (who: string) => approval.emit.approved({ by: who });

  it("that comes too early is kept, thirty times of thirty", { workflows: [order] }, async ({
    hephaestus,
    work,
  }) => {
    gate = new Gate();
    runs.length = 0;
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    const handles = await Promise.all(
      keys.map((key) => hephaestus.start(order, key, undefined)),
    );
    for (const key of keys.slice(0, 15)) {
      assertEquals(await hephaestus.resume(order, key, by("eve")), "early");
    }
    await work({ queues: { default: 40 } });
    await eventually(() => runs.length === 30, "all have begun");
    for (const key of keys.slice(15)) {
      assertEquals(await hephaestus.resume(order, key, by("eve")), "early");
    }
    gate.open();

    const ends = await Promise.all(handles.map((handle) => handle.result()));

    assertEquals([...new Set(ends.map(({ status }) => status))], ["completed"]);
    const [told] = await Promise.all(keys.map((key) => hephaestus.history(order, key)));
    assertEquals(told?.at(-1)?.output, "begun eve");
  });

  it("in the wrong moment wipes no result, repeats no step and ends no other wait", {
    workflows: [order],
  }, async ({ hephaestus, work }) => {
    gate = new Gate();
    runs.length = 0;
    await work();
    const handle = await hephaestus.start(order, "a", undefined);
    await eventually(() => runs.length === 1, "the first step runs");

    assertEquals(await hephaestus.resume(order, "a", by("ada")), "early");
    assertEquals(await hephaestus.resume(order, "a", by("bob")), "duplicate");
    gate.open();

    assertEquals((await handle.result()).status, "completed");
    assertEquals(await hephaestus.resume(order, "a", by("cyd")), "duplicate");
    assertEquals(runs.length, 1);
    const told = await hephaestus.history(order, "a");
    assertEquals(told.map(({ step, output }) => [step, output]), [
      ["begin", "begun"],
      ["approval", { by: "ada" }],
      ["ship", "begun ada"],
    ]);
  });

  it("is accepted once when twenty come at the same time", { workflows: [order] }, async ({
    hephaestus,
    work,
    another,
  }) => {
    gate = new Gate();
    gate.open();
    const other = another();
    await work();
    const handle = await hephaestus.start(order, "a", undefined);
    await eventually(
      async () => (await hephaestus.get(order, "a"))?.status === "waiting",
      "it waits",
    );

    const answers = await Promise.allSettled(
      Array.from(
        { length: 20 },
        (_, n) => (n % 2 ? hephaestus : other).resume(order, "a", by(`n${n}`)),
      ),
    );

    assertEquals((await handle.result()).status, "completed");
    const accepted = answers.filter((one) =>
      one.status === "fulfilled" && one.value === "accepted"
    );
    const refused = answers.filter((one) =>
      one.status === "rejected" ? one.reason instanceof NotWaitingError : one.value === "duplicate"
    );
    assertEquals([accepted.length, refused.length], [1, 19]);
  });
});
