import { assertEquals } from "@std/assert";
import { choice, done, first, join, step, type, workflow } from "../../mod.ts";
import { everywhere, Gate } from "../everywhere.ts";

/** What each step has seen of the metadata, by its name. */
let seen: Record<string, unknown> = {};
let gates: Record<string, Gate> = {};

const tells = <const Name extends string>(name: Name) =>
  step(name, {
    events: { ok: type() },
    async run({ metadata, emit }) {
      seen[name] = metadata;
      await gates[name]?.opened;
      return emit.ok(undefined, { metadata: { last: name, [name]: true } });
    },
  });
const quiet = <const Name extends string>(name: Name) =>
  step(name, {
    events: { ok: type() },
    run({ metadata, emit }) {
      seen[name] = metadata;
      return emit.ok();
    },
  });

const x1 = tells("x1");
const [q1, q2, q3, q4] = [tells("q1"), tells("q2"), tells("q3"), quiet("q4")];
const zz = quiet("zz");
const after = quiet("after");
const forked = workflow("forked", {
  key: "id",
  input: type(),
  start: x1,
  metadata: { last: "given", kept: 1 },
})
  .on(x1, { ok: [q1, q2, q3] })
  .on(q1, { ok: join(zz) })
  .on(q2, { ok: join(zz) })
  .on(q3, { ok: q4 })
  .on(q4, { ok: done })
  .on(zz, { ok: after })
  .on(after, { ok: done })
  .build();

const way = choice("way", {
  events: { left: type(), right: type() },
  decide: ({ emit }) => emit.left(undefined, { metadata: { last: "way", way: true } }),
});
const [p1, p2, p3] = [tells("p1"), tells("p2"), quiet("p3")];
const decided = workflow("decided", { key: "id", input: type(), start: way })
  .on(way, { left: [p1, p2], right: p1 })
  .on(p1, { ok: first(p3) })
  .on(p2, { ok: first(p3) })
  .on(p3, { ok: done })
  .build();

everywhere("the metadata that a step sees", (it) => {
  for (const late of ["q3", "q1"]) {
    it(
      `is of its causal past only, when ${late} comes last`,
      { workflows: [forked] },
      async ({ hephaestus, work }) => {
        seen = {};
        gates = { q1: new Gate(), q3: new Gate() };
        await work();
        const handle = await hephaestus.start(forked, "a", undefined, { metadata: { by: "ada" } });
        const early = late === "q3" ? "q1" : "q3";
        const behind = late === "q3" ? "after" : "q4";
        gates[early]!.open();
        while (!(behind in seen)) await new Promise((resolve) => setTimeout(resolve, 5));
        gates[late]!.open();
        const result = await handle.result();

        const start = { by: "ada", kept: 1 };
        assertEquals(seen, {
          x1: { ...start, last: "given" },
          q1: { ...start, last: "x1", x1: true },
          q2: { ...start, last: "x1", x1: true },
          q3: { ...start, last: "x1", x1: true },
          q4: { ...start, last: "q3", x1: true, q3: true },
          zz: { ...start, last: "q2", x1: true, q1: true, q2: true },
          after: { ...start, last: "q2", x1: true, q1: true, q2: true },
        });
        const all = { ...start, last: "q3", x1: true, q1: true, q2: true, q3: true };
        assertEquals(result.metadata, all);
        const got = await hephaestus.get(forked, "a");
        assertEquals(JSON.stringify(result.metadata), JSON.stringify(got?.metadata));
      },
    );
  }

  it("holds what a choice has added, and of branches only the one that came first", {
    workflows: [decided],
  }, async ({ hephaestus, work }) => {
    seen = {};
    gates = { p2: new Gate() };
    await work();
    const handle = await hephaestus.start(decided, "a", undefined);
    while (!("p3" in seen)) await new Promise((resolve) => setTimeout(resolve, 5));
    gates["p2"]!.open();
    const result = await handle.result();

    assertEquals(seen, {
      p1: { last: "way", way: true },
      p2: { last: "way", way: true },
      p3: { last: "p1", way: true, p1: true },
    });
    assertEquals(result.metadata, { last: "p2", way: true, p1: true, p2: true });
  });
});
