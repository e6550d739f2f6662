import { assert, assertEquals, assertRejects } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import { everywhere, Gate, onPostgres } from "../everywhere.ts";

let gate = new Gate();
const work = step("work", {
  input: type<string>(),
  events: { ok: type<number>() },
  async run({ input, attempt, emit }) {
    if (input === "waits") await gate.opened;
    return emit.ok(attempt);
  },
});
const simple = workflow("simple", { key: "id", input: type<string>(), start: work })
  .on(work, { ok: done })
  .build();
const options = { workflows: [simple], retry: { base: "1ms", max: "5ms" } } as const;

onPostgres("a start that replaces, in a transaction that is rolled back", (it) => {
  it("leaves the running step of the first instance alone", options, async (world) => {
    const { hephaestus, sql, work } = world;
    gate = new Gate();
    await work();
    const running = new Promise<void>((resolve) => hephaestus.on("step:start", () => resolve()));
    const handle = await hephaestus.start(simple, "one", "waits");
    await running;

    await assertRejects(
      () =>
        sql.begin(async (tx) => {
          await hephaestus.start(simple, "one", "new", { onConflict: "replace", tx });
          throw new Error("rolled back");
        }),
      Error,
      "rolled back",
    );
    gate.open();

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(simple, handle)).map(({ output }) => output), [1]);
  });
});

everywhere("an instance that is replaced", (it) => {
  it("is told to listeners as one that has stopped", options, async ({ hephaestus, work }) => {
    gate = new Gate();
    const stopped: unknown[] = [];
    hephaestus.on("workflow:stop", ({ instance, status }) => void stopped.push([instance, status]));
    const first = await hephaestus.start(simple, "one", "waits");

    const second = await hephaestus.start(simple, "one", "new", { onConflict: "replace" });

    assert(first.id !== second.id);
    assertEquals(stopped, [[first.id, "cancelled"]]);
    await work();
    assertEquals((await second.result()).status, "completed");
  });
});
