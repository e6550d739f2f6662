import { assertEquals, assertRejects } from "@std/assert";
import {
  done,
  GraphChangedError,
  join,
  step,
  type,
  versioned,
  type Workflow,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, keeping, onPostgres, silent, type World } from "../everywhere.ts";
import {
  type Change,
  changes,
  event,
  fork,
  left,
  named,
  order,
  right,
  third,
  work as worked,
} from "./graph_changes.ts";

everywhere("a graph that was changed under the same version", (it) => {
  it("is refused with a sentence while instances are open, whatever was changed", {
    workflows: [],
  }, async ({ another, backend }) => {
    // The adapters are compared by their contracts; what is said is the same.
    const some = backend === "memory" ? changes : changes.slice(0, 4);
    for (const change of some) await refused(another, change);
  });

  it("takes no delivery of the new graph, neither now nor later", {
    workflows: [order],
  }, async ({ hephaestus, work, another }) => {
    const renamed = changes[3]!.after;
    await work();
    const { id } = await hephaestus.start(order, "a", undefined);
    const newer = another({ workflows: [renamed] });

    for (
      const deliver of [
        () => newer.resume(renamed, { id }, third.emit.ok() as never),
        () => newer.resume(renamed, "a", left.emit.ok() as never),
        () => newer.scheduleResume(renamed, { id }, third.emit.ok() as never, { after: "1h" }),
      ]
    ) {
      await assertRejects(
        deliver,
        GraphChangedError,
        'Cannot resume workflow "order" version 1: its graph differs from the one that 1 open instance started with ' +
          '(signal "right" was replaced by "third").',
      );
    }

    await hephaestus.resume(order, { id }, left.emit.ok());
    await hephaestus.resume(order, { id }, right.emit.ok());
    await eventually(
      async () => (await hephaestus.get(order, { id }))?.status === "completed",
      "it is completed",
    );
    assertEquals((await hephaestus.history(order, { id })).map(({ step }) => step).sort(), [
      "fork",
      "last",
      "left",
      "right",
    ]);
  });

  it("is refused while a step of an open instance is being retried", {
    workflows: [],
  }, async ({ another }) => {
    let attempts = 0;
    const failing = step("fail", {
      events: event,
      retry: { base: "50ms", max: "50ms", attempts: 1_000 },
      run: () => {
        attempts++;
        throw new Error("not yet");
      },
    });
    const before = workflow("order", { ...named, start: failing }).on(failing, { ok: done })
      .build();
    const after = workflow("order", { ...named, start: worked }).on(worked, { ok: done }).build();
    const older = another({ workflows: [before] });
    const { id } = await older.start(before, "a", undefined);
    const logger = keeping();
    const newer = another({ workflows: [after], logger });
    const worker = newer.work({ poll: "20ms", lease: "200ms", heartbeat: "50ms" });
    await worker.ready;
    const trying = older.work({ poll: "20ms" });
    await trying.ready;

    await eventually(() => attempts > 3, "it is being retried");
    await trying.stop();

    assertEquals((await newer.get(after, { id }))?.active, ["fail"]);
    assertEquals(
      logger.said.filter((line) => line.includes('(step "fail" was replaced by "work")')).length,
      1,
    );
  });

  it("passes where no instance is open", { workflows: [order] }, async (world) => {
    const after = changes[0]!.after;
    await world.work();
    const ended = await world.hephaestus.start(order, "a", undefined);
    await world.hephaestus.cancel(order, ended);
    const newer = world.another({ workflows: [after] });

    const { id } = await newer.start(after, "a", undefined);

    assertEquals((await newer.get(after, "a"))?.id, id);
  });

  it("is the versions' own: the same number is refused, another one is not", {
    workflows: [versioned("order", { versions: { 1: order }, current: 1 })],
  }, async ({ hephaestus, another }) => {
    const after = changes[0]!.after;
    const old = versioned("order", { versions: { 1: order }, current: 1 });
    await hephaestus.start(old, "a", undefined);
    const both = versioned("order", { versions: { 1: order, 2: after }, current: 2 });
    const reused = versioned("order", { versions: { 1: after, 2: order }, current: 1 });

    const fine = another({ workflows: [both] });
    assertEquals((await fine.start(both, "b", undefined)).version, 2);
    const wrong = another({ workflows: [reused] });
    const error = await assertRejects(
      () => wrong.start(reused, "c", undefined),
      GraphChangedError,
    );

    assertEquals(error.message.includes("Make it version 3 with versioned(...),"), true);
    await assertRejects(
      () => wrong.start(reused, "c", undefined, { version: 2 }),
      GraphChangedError,
      'workflow "order" version 2',
    );
  });

  it("is the same graph when only code, limits, needs and the order of targets change", {
    workflows: [order],
  }, async ({ hephaestus, work, another }) => {
    const old = await work();
    const { id } = await hephaestus.start(order, "a", undefined);
    await hephaestus.resume(order, { id }, left.emit.ok());
    await eventually(
      async () => (await hephaestus.get(order, { id }))?.active.join() === "right",
      "one branch has arrived",
    );
    await old.stop();
    const reading = step("last", {
      needs: [right.when("ok"), left.outcome()],
      timeout: "1m",
      queue: "default",
      priority: 2,
      events: { ok: type<{ read: string }>() },
      run: ({ steps, emit }) => emit.ok({ read: steps.left.event }),
    });
    const after = workflow("order", { ...named, tags: ["new"] })
      .on(fork, { ok: [right, left] })
      .on(left, { ok: join(reading) })
      .on(right, { ok: join(reading) })
      .on(reading, { ok: done })
      .build();
    const newer = another({ workflows: [after] });
    await using worker = newer.work({ poll: "20ms" });
    await worker.ready;

    await newer.resume(after, { id }, right.emit.ok());
    await eventually(
      async () => (await newer.get(after, { id }))?.status === "completed",
      "it is completed",
    );

    assertEquals((await newer.history(after, { id })).at(-1)?.output, { read: "ok" });
  });

  it("lets each of two processes end its own, where both have begun", {
    workflows: [],
  }, async (world) => {
    const after = changes[1]!.after;
    const [one, two] = await twoThatHaveBegun(world, order, after);

    for (const [{ engine, flow }, { id }] of [[one, two], [two, one]] as const) {
      await assertRejects(
        () => engine.resume(flow, { id }, left.emit.ok() as never),
        GraphChangedError,
      );
    }
    for (const { engine, flow, id } of [one, two]) {
      for (const delivery of [left.emit.ok(), right.emit.ok()]) {
        await engine.resume(flow, { id }, delivery);
      }
    }

    for (const { engine, flow, id, steps } of [one, two]) {
      await eventually(
        async () => (await engine.get(flow, { id }))?.status === "completed",
        "it is completed",
      );
      assertEquals((await engine.history(flow, { id })).length, steps);
    }
    for (const { said } of [one, two]) {
      const told = said.filter((line) => line.startsWith("Cannot serve all of workflow"));
      assertEquals(told.length, 1, said.join("\n"));
    }
  });
});

/** Begins with one graph, and shows that a process with the other one does nothing until no instance is open. */
async function refused(another: World["another"], change: Change): Promise<void> {
  const { name, before = order, after, changes: said } = change;
  await using older = another({ workflows: [before] });
  const old = older.work({ poll: "20ms" });
  const { id } = await older.start(before, "a", undefined);
  const isWaiting = async () => (await older.get(before, { id }))?.status === "waiting";
  await eventually(isWaiting, `${name}: it waits`);
  await old.stop();
  const began = await older.get(before, { id });
  const logger = keeping();
  await using newer = another({ workflows: [after], logger });
  const worker = newer.work({ poll: "20ms", lease: "200ms", heartbeat: "50ms" });
  await worker.ready;

  const sentence = (action: string) =>
    `Cannot ${action} workflow "order" version 1: its graph differs from the one that 1 open instance started with ` +
    `(${said.join(", ")}). Make it version 2 with versioned(...), let it finish, or cancel it.`;
  const one = () => newer.start(after, "b", undefined);
  const many = () => newer.startMany(after, [{ key: "c", input: undefined }]);
  const error = await assertRejects(one, GraphChangedError, sentence("start"), name);
  assertEquals([error.code, error.changes], ["GRAPH_CHANGED", said], name);
  await assertRejects(many, GraphChangedError, sentence("start"), name);
  const told = logger.said.filter((line) => line.includes("Cannot serve"));
  assertEquals(told, [`${sentence("serve")} {"open":1}`], name);
  assertEquals(await older.get(before, { id }), began, name);

  await newer.cancel(after, { id });
  const isServed = () =>
    logger.said.some((line) => line.startsWith("No open instance uses a different graph"));
  await eventually(isServed, `${name}: it is served`);
  // A worker may be faster: then it has ended by itself.
  await newer.cancel(after, await newer.start(after, "b", undefined)).catch(({ code }) =>
    assertEquals(code, "NOT_CANCELLABLE", name)
  );
}

/** Two processes that were both let in while nothing was open, and have started one instance each. */
async function twoThatHaveBegun({ another }: World, older: Workflow, newer: Workflow) {
  const sides = [];
  for (const [flow, steps] of [[older, 4], [newer, 5]] as const) {
    const said: string[] = [];
    const logger = { ...silent, error: (line: string) => void said.push(line) };
    const engine = another({ workflows: [flow], logger });
    const { id } = await engine.start(flow, "first", undefined);
    await engine.cancel(flow, { id });
    sides.push({ engine, flow, steps, said });
  }
  const [one, two] = sides as [typeof sides[0], typeof sides[0]];
  const ids = [];
  for (const { engine, flow } of sides) {
    ids.push((await engine.start(flow, `of ${ids.length}`, undefined)).id);
  }
  for (const { engine } of sides) {
    await engine.work({ poll: "20ms", lease: "2s", heartbeat: "500ms" }).ready;
  }
  return [{ ...one, id: ids[0]! }, { ...two, id: ids[1]! }] as const;
}

onPostgres("an instance from before graphs were kept", (it) => {
  it("goes on with the graph that there is", { workflows: [order] }, async (world) => {
    const { hephaestus, sql, another } = world;
    const { id } = await hephaestus.start(order, "a", undefined);
    await sql`update hephaestus.workflow_instances set graph = null`;
    const added = changes[2]!.after;
    const newer = another({ workflows: [added] });
    await using worker = newer.work({ poll: "20ms" });
    await worker.ready;

    await newer.resume(added, { id }, left.emit.ok());
    await newer.resume(added, { id }, right.emit.ok());

    await eventually(
      async () => (await newer.get(added, { id }))?.status === "completed",
      "it is completed",
    );
    assertEquals((await newer.history(added, { id })).at(-1)?.step, "check");
  });
});
