import { assertEquals, assertRejects } from "@std/assert";
import { done, each, FatalError, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

let gate: Gate | undefined;
let bindings = 0;
const begun: string[] = [];

const split = step("split", {
  input: type<readonly string[]>(),
  events: { split: type<{ pages: readonly string[] }>() },
  run: ({ input, emit }) => emit.split({ pages: input }),
});
const render = each("render", {
  needs: [split.when("split")],
  over: ({ steps }) => steps.split.pages,
  limit: 2,
  events: { rendered: type<string>() },
  async run({ item, activation, idempotencyKey, instance, emit }) {
    begun.push(`${item}#${activation}`);
    if (activation === 1) await gate?.opened;
    return emit.rendered(idempotencyKey.replace(instance.id, "id"));
  },
});
const bind = step("bind", {
  needs: [render.when("finished")],
  events: { bound: type<readonly string[]>() },
  run({ steps, emit }) {
    if (--bindings >= 0) throw new FatalError("There is no thread");
    return emit.bound(steps.render.map(({ output }) => output));
  },
});
const book = workflow("book", { key: "id", input: type<readonly string[]>(), start: split })
  .on(split, { split: render })
  .on(render, { finished: bind })
  .on(bind, { bound: done })
  .returns({ bound: bind.when("bound") })
  .build();

const pages = ["a", "b", "c"];
const keys = (activation: number) => pages.map((_, place) => `id/render[${place}]/${activation}`);

everywhere("by hand, a step over a list", (it) => {
  it("is made anew by a rewind, and its items run again under other keys", {
    workflows: [book],
  }, async ({ hephaestus, work, jobs }) => {
    gate = new Gate();
    bindings = 0;
    begun.length = 0;
    await work();
    const handle = await hephaestus.start(book, "one", pages);
    await eventually(() => begun.length === 2, "two items run");

    await hephaestus.rewind(book, "one", { to: split });
    const output = await handle.output();
    gate.open();

    assertEquals(output, keys(2));
    assertEquals(begun.sort(), ["a#1", "a#2", "b#1", "b#2", "c#2"]);
    await eventually(async () => (await jobs()).length === 0, "no job is left");
    const history = await hephaestus.history(book, "one");
    const items = history.filter(({ step, state }) => step === "render[]" && state === "applied");
    assertEquals(items.length, 3);
  });

  it("keeps its outcomes for a step that is rewound after it", {
    workflows: [book],
  }, async ({ hephaestus, work }) => {
    gate = undefined;
    bindings = 1;
    begun.length = 0;
    await work();
    const handle = await hephaestus.start(book, "one", pages);
    assertEquals((await handle.result()).status, "failed");

    await hephaestus.rewind(book, "one", { to: bind });

    assertEquals(await (await hephaestus.handle(book, "one"))!.output(), keys(1));
    assertEquals(begun.sort(), ["a#1", "b#1", "c#1"]);
    const given = { event: "finished", output: [] } as const;
    await assertRejects(
      () => hephaestus.rewind(book, "one", { to: render, outcome: given }),
      TypeError,
      'the outcomes of each "render" cannot be given',
    );
  });

  it("is taken over by a fork that begins after it, and begins again in one that does not", {
    workflows: [book],
  }, async ({ hephaestus, work }) => {
    gate = undefined;
    bindings = 0;
    begun.length = 0;
    await work();
    await (await hephaestus.start(book, "one", pages)).result();

    const after = await hephaestus.fork(book, "one", { from: bind, key: "two" });
    assertEquals(await after.output(), keys(1));
    assertEquals(begun.length, 3);
    const before = await hephaestus.fork(book, "one", { from: render, key: "three" });
    await before.output();

    assertEquals(begun.length, 6);
  });
});
