import { assert, assertEquals } from "@std/assert";
import { choice, done, join, signal, step, timer, type, workflow } from "../../mod.ts";
import type { EventName } from "../../src/core/events.ts";
import { eventually, everywhere } from "../everywhere.ts";

const events: readonly EventName[] = [
  "workflow:start",
  "workflow:stop",
  "workflow:exception",
  "workflow:transition",
  "step:start",
  "step:stop",
  "step:exception",
  "step:async",
  "step:resume",
  "advance",
  "runner:init",
  "job:claim",
  "job:retry",
  "job:discard",
];

everywhere("the history of an instance", (it) => {
  const begin = step("begin", {
    events: { ok: type<number>() },
    retry: { attempts: 3, base: "1ms" },
    run({ emit, attempt }) {
      if (attempt < 3) throw new RangeError(`attempt ${attempt}`);
      return emit.ok(attempt, { metadata: { began: true, by: "begin" } });
    },
  });
  const [left, right] = [
    step("left", {
      events: { ok: type() },
      run: ({ emit, metadata }) =>
        emit.ok(undefined, { metadata: { saw: metadata["by"]!, by: "left" } }),
    }),
    signal("right", { events: { told: type<{ readonly by: string }>() } }),
  ];
  const nap = timer("nap", "1ms");
  const pick = choice("pick", {
    needs: [begin.when("ok"), right.when("told")],
    events: { end: type<string>() },
    decide: ({ steps, emit }) => emit.end(`${steps.begin} ${steps.right.by}`),
  });
  const flow = workflow("flow", {
    key: "id",
    input: type(),
    start: begin,
    tags: ["shop"],
    metadata: { region: "eu", by: "workflow" },
  })
    .on(begin, { ok: [left, right, nap] })
    .on(left, { ok: join(pick) })
    .on(right, { told: join(pick) })
    .on(nap, { elapsed: join(pick) })
    .on(pick, { end: done })
    .build();

  it("tells of every step, its attempts, errors, times and process", { workflows: [flow] }, async ({
    hephaestus,
    work,
  }) => {
    const worker = await work();
    const handle = await hephaestus.start(flow, "a", undefined);
    await hephaestus.resume(flow, "a", right.emit.told({ by: "ada" }, { metadata: { by: "ada" } }));

    assertEquals((await handle.result()).status, "completed");

    const told = await hephaestus.history(flow, "a");
    assertEquals(told.map(({ step, event, output }) => [step, event, output]).sort(), [
      ["begin", "ok", 3],
      ["left", "ok", undefined],
      ["nap", "elapsed", undefined],
      ["pick", "end", "3 ada"],
      ["right", "told", { by: "ada" }],
    ]);
    const [first] = told;
    const last = told.at(-1)!;
    assertEquals([first?.step, last.step], ["begin", "pick"]);
    assertEquals(told.map(({ state }) => state), told.map(() => "applied" as const));
    assertEquals(first?.attempts, 3);
    assertEquals(first?.errors.map(({ name, message }) => `${name}: ${message}`), [
      "RangeError: attempt 1",
      "RangeError: attempt 2",
    ]);
    assert(first!.startedAt! <= first!.at && first!.at <= last.at);
    assertEquals(first?.process, worker.id);
    const delivered = told.find(({ step }) => step === "right");
    assertEquals([delivered?.process, delivered?.startedAt], [undefined, undefined]);
    const revisions = told.map(({ revision }) => revision!);
    assertEquals(revisions, [...revisions].sort((a, b) => a - b));
  });

  it(
    "adds up the metadata of all its steps in the order of the rows",
    { workflows: [flow] },
    async ({
      hephaestus,
      work,
      sql,
    }) => {
      await work();
      const options = { tags: ["vip"], metadata: { by: "start", channel: "web" } };
      const handle = await hephaestus.start(flow, "a", undefined, options);
      if (sql) {
        const [job] = await sql`select tags, metadata from hephaestus.jobs where step = 'begin'`;
        assertEquals(job?.tags, ["shop", "vip"]);
        assertEquals(job?.metadata, { region: "eu", by: "start", channel: "web" });
      }
      await hephaestus.resume(
        flow,
        "a",
        right.emit.told({ by: "ada" }, { metadata: { by: "ada" } }),
      );

      const { tags, metadata } = await handle.result();

      assertEquals(tags, ["shop", "vip"]);
      assertEquals({ ...metadata, saw: "" }, {
        region: "eu",
        channel: "web",
        began: true,
        saw: "",
        by: "ada",
      });
    },
  );

  const broken = step("broken", {
    events: { ok: type() },
    retry: { attempts: 2, base: "1ms" },
    run: () => {
      throw new Error("broken");
    },
  });
  const fails = workflow("fails", { key: "id", input: type(), start: broken })
    .on(broken, { ok: done })
    .build();
  const outside = step("outside", {
    async: true,
    events: { told: type() },
    run: ({ emit }) => emit.later(),
  });
  const waits = workflow("waits", { key: "id", input: type(), start: outside })
    .on(outside, { told: done })
    .build();

  it("is told to listeners while it happens", { workflows: [flow, fails, waits] }, async ({
    hephaestus,
    work,
  }) => {
    const seen = new Map<EventName, number>();
    const told: string[] = [];
    for (const name of events) {
      hephaestus.on(name, () => void seen.set(name, (seen.get(name) ?? 0) + 1));
    }
    const waiting = new Promise<void>((resolve) => hephaestus.on("step:async", () => resolve()));
    hephaestus.on("workflow:transition", ({ workflow, step, event, started }) => {
      if (workflow === "flow" && step === "begin") {
        told.push(`${event}: ${started.filter((name) => name !== "right").sort()}`);
      }
    });
    const off = hephaestus.on("workflow:start", () => void told.push("never"));
    off();
    hephaestus.on("workflow:start", () => {
      throw new Error("a listener harms nobody");
    });
    const handles = [
      await hephaestus.start(flow, "a", undefined),
      await hephaestus.start(fails, "a", undefined),
      await hephaestus.start(waits, "a", undefined),
    ];
    await hephaestus.resume(flow, "a", right.emit.told({ by: "ada" }));
    await work();
    await waiting;
    await hephaestus.resume(waits, "a", outside.emit.told());

    await Promise.all(handles.map((handle) => handle.result()));
    // A result is there once it is committed, its events a moment later.
    const count = (name: EventName) => seen.get(name) ?? 0;
    await eventually(
      () => count("workflow:stop") === 2 && count("step:exception") === 4,
      "the ends are told",
    );

    assertEquals(events.filter((name) => !seen.has(name)), []);
    assertEquals(told, ["ok: left,nap"]);
    assertEquals(seen.get("workflow:start"), 3);
    assertEquals([seen.get("workflow:stop"), seen.get("workflow:exception")], [2, 1]);
    assertEquals([seen.get("step:exception"), seen.get("job:retry")], [4, 3]);
  });
});

everywhere("a list of instances", (it) => {
  const ask = signal("ask", { events: { told: type() } });
  const [one, two] = [
    workflow("one", { key: "id", input: type(), start: ask, tags: ["shop"] })
      .on(ask, { told: done })
      .build(),
    workflow("two", { key: "id", input: type(), start: ask })
      .on(ask, { told: done })
      .build(),
  ];

  it("is filtered by everything, and comes in pages", { workflows: [one, two] }, async ({
    hephaestus,
  }) => {
    const ids = new Map<string, string>();
    for (const n of [0, 1, 2, 3, 4]) {
      const metadata = { n, even: { is: n % 2 === 0 } };
      const tags = n > 2 ? ["late", "vip"] : ["vip"];
      ids.set(`k${n}`, (await hephaestus.start(one, `k${n}`, undefined, { tags, metadata })).id);
    }
    await hephaestus.start(two, "k0", undefined);
    await hephaestus.cancel(one, "k1");
    const keys = async (page: Promise<{ items: readonly { key: string }[] }>) =>
      (await page).items.map(({ key }) => key.slice("id::".length));

    assertEquals(await keys(hephaestus.list(one)), ["k4", "k3", "k2", "k1", "k0"]);
    assertEquals((await hephaestus.list()).items.length, 6);
    assertEquals(await keys(hephaestus.list(one, { status: "cancelled" })), ["k1"]);
    const several = { status: ["cancelled", "completed"] } as const;
    assertEquals(await keys(hephaestus.list(several)), ["k1"]);
    assertEquals(await keys(hephaestus.list(one, { key: "k2" })), ["k2"]);
    assertEquals(await keys(hephaestus.list(one, { id: ids.get("k3")! })), ["k3"]);
    assertEquals(await keys(hephaestus.list({ tags: ["shop", "late"] })), ["k4", "k3"]);
    assertEquals(await keys(hephaestus.list({ metadata: { even: { is: true } } })), [
      "k4",
      "k2",
      "k0",
    ]);
    assertEquals(await keys(hephaestus.list(one, { version: 2 })), []);

    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const page = await hephaestus.list(one, { limit: 2, after });
      pages.push(page.items.map(({ key }) => key.slice("id::".length)));
      if (after === undefined) await hephaestus.start(one, "newer", undefined);
      after = page.next;
    } while (after !== undefined);
    assertEquals(pages, [["k4", "k3"], ["k2", "k1"], ["k0"]]);
  });
});
