import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "../../mod.ts";
import { memoryBackend } from "../../src/memory/backend.ts";
import { fakeClock } from "../../src/testing/clock.ts";
import { delivery, newId, sceneIn, turn } from "../contracts/world.ts";

async function sceneInMemory() {
  const clock = fakeClock();
  const backend = memoryBackend({ clock });
  const scene = await sceneIn({
    backend,
    elapse: (milliseconds) => Promise.resolve(clock.advance(`${milliseconds}ms`)),
    jobs: () => Promise.resolve(backend.jobs()),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  });
  return { ...scene, backend, clock };
}

describe("memoryBackend()", () => {
  it("refuses the transaction of a caller", async () => {
    const { store, instance, job } = await sceneInMemory();
    const tx = {};

    const tries = {
      start: () => store.open(undefined, [instance()], tx),
      resume: () => store.deliver(delivery(newId(), "approval"), tx),
      schedule: () => store.schedule(job(), tx),
      "list instances": () => store.list({ limit: 1 }, tx),
      cancel: () => store.commitLocked(newId(), () => undefined, tx),
      delete: () => store.delete(newId(), { tx }),
    };

    for (const [action, attempt] of Object.entries(tries)) {
      await assertRejects(
        attempt,
        TypeError,
        `Cannot ${action} in the caller's transaction: the memory backend has no database to share`,
      );
    }
  });

  it("refuses statements in its transactions, whichever way they come", async () => {
    const { store } = await sceneInMemory();
    const sql = await store.transaction(({ sql }) => Promise.resolve(sql as Sql));

    await assertRejects(() => sql`select 1`, TypeError, "the memory backend has no database");
    await assertRejects(() => sql.query("select 1"), TypeError, "memory({ sql })");
  });

  it("writes nothing of a call that fails half-way", async () => {
    const { store, instance } = await sceneInMemory();

    const broken = instance({ input: "{" });
    await assertRejects(() => store.open(undefined, [instance(), broken]), SyntaxError);

    assertEquals(await store.list({ limit: 10 }), []);
  });

  it("runs a transaction again when somebody has been there in between", async () => {
    const { store, register, open, known } = await sceneInMemory();
    const process = await register();
    const id = await open();
    const answers: boolean[] = [];

    await store.transaction(async (tx) => {
      const written = await tx.commit(process, [turn(id, { status: "waiting" })]);
      answers.push(written.has(id));
      if (answers.length === 1) await store.commit(process, [turn(id)]);
    });

    assertEquals(answers, [true, false]);
    const { revision, status } = await known(id);
    assertEquals([revision, status], [2, "running"]);
  });

  it("takes the time from its clock", async () => {
    const { store, clock, open } = await sceneInMemory();
    const id = await open();

    const [listed] = await store.list({ ids: [id], limit: 1 });

    assertEquals(listed?.insertedAt.getTime(), clock.now());
  });

  it("takes the time from the system by default", async () => {
    const backend = memoryBackend();

    const before = Date.now();
    const now = backend.clock.now();

    assert(now >= before && now <= Date.now());
    await backend.ready();
  });

  it("wakes listeners after the call that brought work, with its queues", async () => {
    const { queue, open } = await sceneInMemory();
    const woken: (readonly string[])[] = [];
    await using _ = queue.listen((queues) => woken.push(queues));

    const opening = open({}, { queue: "emails" }, { queue: "default" }, { delay: 1_000 });
    assertEquals(woken, []);
    await opening;
    await new Promise<void>(queueMicrotask);

    assertEquals(woken, [["emails", "default"]]);
  });

  it("wakes listeners for an advance that waits already", async () => {
    const { queue, store, open } = await sceneInMemory();
    const id = await open();
    await store.deliver(delivery(id, "approval"));
    await new Promise<void>(queueMicrotask);
    const woken: (readonly string[])[] = [];
    await using _ = queue.listen((queues) => woken.push(queues));

    await store.deliver(delivery(id, "payment"));
    await new Promise<void>(queueMicrotask);

    assertEquals(woken, [["default"]]);
  });

  it("wakes listeners when the clock is moved, until they stop listening", async () => {
    const { queue, clock } = await sceneInMemory();
    const woken: (readonly string[])[] = [];
    const listening = queue.listen((queues) => woken.push(queues));

    clock.advance("1s");
    await new Promise<void>(queueMicrotask);
    await listening[Symbol.asyncDispose]();
    clock.advance("1s");
    await new Promise<void>(queueMicrotask);

    assertEquals(woken, [[]]);
  });

  it("leaves its clock alone once it is disposed", async () => {
    const { queue, clock, backend } = await sceneInMemory();
    const woken: (readonly string[])[] = [];
    queue.listen((queues) => woken.push(queues));

    await backend[Symbol.asyncDispose]();
    clock.advance("1s");
    await new Promise<void>(queueMicrotask);

    assertEquals(woken, []);
  });

  it("wakes nobody for what a transaction has taken back", async () => {
    const { queue, store, register, open, job } = await sceneInMemory();
    const process = await register();
    const id = await open();
    const woken: (readonly string[])[] = [];
    await using _ = queue.listen((queues) => woken.push(queues));

    const work = store.transaction(async (tx) => {
      await tx.commit(process, [turn(id, { started: [job({ instance: id })] })]);
      throw new RangeError("Cannot go on");
    });
    await assertRejects(() => work, RangeError);
    await new Promise<void>(queueMicrotask);

    assertEquals(woken, []);
  });
});
