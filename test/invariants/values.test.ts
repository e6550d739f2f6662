import { assertEquals } from "@std/assert";
import { choice, done, join, step, type Type, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

interface Cart {
  readonly items: string[];
}

const retry = { attempts: 2, backoff: "constant", base: "1ms" } as const;
/** What the steps have found, and what became of their attempts to change it. */
let found: string[] = [];

/** Changes a value as careless code would, and says what has come of it. */
function meddle(where: string, change: () => unknown): void {
  try {
    change();
    found.push(`${where} was changed`);
  } catch (error) {
    found.push(`${where}: ${(error as Error).name}`);
  }
}

const pick = step("pick", {
  input: type<Cart>(),
  events: { picked: type<Cart>() },
  retry,
  run({ input, metadata, attempt, emit }) {
    found.push(input.items.join());
    meddle("input", () => input.items.push("x"));
    meddle("metadata", () => Object.assign(metadata, { by: "nobody" }));
    if (attempt === 1) throw new Error("It fails once");
    const cart = { items: [...input.items, "bag"] };
    const meta = { picked: { by: "ada" } };
    const outcome = emit.picked(cart, { metadata: meta });
    setTimeout(() => {
      cart.items.push("late");
      meta.picked.by = "late";
    });
    return outcome;
  },
});
const look = choice("look", {
  needs: [pick.when("picked")],
  input: type<Cart>(),
  events: { seen: type() },
  decide({ input, steps, emit }) {
    meddle("input of a choice", () => input.items.push("x"));
    meddle("output in a choice", () => steps.pick.items.push("x"));
    return emit.seen();
  },
});
const branch = <const Name extends string>(name: Name) =>
  step(name, {
    needs: [pick.when("picked")],
    input: type<Cart>(),
    events: { ok: type() },
    run({ input, steps, emit }) {
      meddle("output", () => steps.pick.items.push(name));
      found.push(`${input.items} ${steps.pick.items}`);
      return emit.ok();
    },
  });
const [left, right] = [branch("left"), branch("right")];
const end = step("end", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const shop = workflow("shop", {
  key: "id",
  input: type<Cart>(),
  start: pick,
  metadata: { by: "eve" },
})
  .on(pick, { picked: look })
  .on(look, { seen: [left, right] })
  .on(left, { ok: join(end) })
  .on(right, { ok: join(end) })
  .on(end, { ok: done })
  .build();

/** A schema that takes its time. */
const slow: Type<Cart> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => {
      await new Promise((resolve) => setTimeout(resolve));
      return { value: structuredClone(value) as Cart };
    },
  },
};
const first = step("first", {
  input: type<Cart>(),
  events: { ok: type() },
  run: ({ emit }) => emit.ok(),
});
const slowly = workflow("slowly", { key: "id", input: slow, start: first }).on(first, { ok: done })
  .build();

const members = { zz: 1, é: { b: 1, a: [{ yy: 1, x: 2 }] }, 10: 1, a: 2, "": 3, "😀": 4, "ｆ": 5 };
const text = JSON.stringify({
  10: 1,
  "": 3,
  a: 2,
  zz: 1,
  é: { a: [{ x: 2, yy: 1 }], b: 1 },
  "ｆ": 5,
  "😀": 4,
});
const tell = step("tell", {
  input: type<typeof members>(),
  events: { told: type<typeof members>() },
  retry: { attempts: 2, backoff: "constant", base: "1ms" },
  run({ input, attempt, emit }) {
    found.push(JSON.stringify(input));
    if (attempt === 1) {
      throw Object.assign(new Error("no", { cause: new Error("why") }), { code: "E" });
    }
    return emit.told(members, { metadata: members });
  },
});
const hear = step("hear", {
  needs: [tell.when("told")],
  events: { ok: type() },
  run({ steps, metadata, emit }) {
    found.push(JSON.stringify(steps.tell), JSON.stringify(metadata));
    return emit.ok();
  },
});
const order = workflow("order", { key: "id", input: type<typeof members>(), start: tell })
  .on(tell, { told: hear })
  .on(hear, { ok: done })
  .build();

const fail = step("fail", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run() {
    throw Object.assign(new Error("no", { cause: new Error("why") }), { code: "E" });
  },
});
const failing = workflow("failing", { key: "id", input: type(), start: fail }).on(fail, {
  ok: done,
})
  .build();

everywhere("a value that a step is given", (it) => {
  it("cannot be changed, neither by a failed attempt nor by a branch beside it", {
    workflows: [shop],
  }, async ({ hephaestus, work }) => {
    found = [];
    await work();
    const handle = await hephaestus.start(shop, "a", { items: ["pen"] });
    const [first, second] = await Promise.all([handle.result(), handle.result()]);

    meddle("result", () => first.input.items.push("x"));
    first.insertedAt.setTime(0);
    assertEquals(found, [
      "pen",
      "input: TypeError",
      "metadata: TypeError",
      "pen",
      "input: TypeError",
      "metadata: TypeError",
      "input of a choice: TypeError",
      "output in a choice: TypeError",
      "output: TypeError",
      "pen pen,bag",
      "output: TypeError",
      "pen pen,bag",
      "result: TypeError",
    ]);
    assertEquals([second.input.items, second.metadata], [["pen"], {
      by: "eve",
      picked: { by: "ada" },
    }]);
    assertEquals(second.insertedAt.getTime() > 0, true);
    const [entry] = await hephaestus.history(shop, "a");
    assertEquals([entry?.output, entry?.metadata], [{ items: ["pen", "bag"] }, {
      picked: { by: "ada" },
    }]);
  });

  it(
    "is what was there when the start was called",
    { workflows: [slowly] },
    async ({ hephaestus, work }) => {
      await work();
      const tags = ["eu"];
      const metadata = { by: "ada" };
      const items = [{ key: "b", input: { items: ["pen"] } }];

      const one = hephaestus.start(slowly, "a", { items: [] }, { tags, metadata });
      const many = hephaestus.startMany(slowly, [{ key: "c", input: { items: [] } }, ...items]);
      tags.push("us");
      metadata.by = "eve";
      items[0]!.key = "z";

      const result = await (await one).result();
      assertEquals([result.tags, result.metadata], [["eu"], { by: "ada" }]);
      assertEquals((await many).map(({ key }) => key), ["id::c", "id::b"]);
    },
  );

  it(
    "has its members in one order, wherever it comes from",
    { workflows: [order] },
    async ({ hephaestus, work }) => {
      found = [];
      await work();
      const handle = await hephaestus.start(order, "a", members);

      const result = await handle.result();
      const got = await hephaestus.get(order, "a");
      const history = await hephaestus.history(order, "a");

      const values = [result.input, result.metadata, got?.input, got?.metadata];
      const told = [history[0]?.output, history[0]?.metadata];
      for (
        const seen of [...found, ...[...values, ...told].map((value) => JSON.stringify(value))]
      ) {
        assertEquals(seen, text);
      }
      assertEquals(Object.keys(history[0]!.errors[0]!), [
        "code",
        "name",
        "cause",
        "stack",
        "message",
      ]);
    },
  );

  it(
    "has its members in one order in an error too",
    { workflows: [failing] },
    async ({ hephaestus, work }) => {
      await work();
      const handle = await hephaestus.start(failing, "a", undefined);

      const result = await handle.result();

      const got = await hephaestus.get(failing, "a");
      assertEquals(JSON.stringify(result.error), JSON.stringify(got?.error));
      assertEquals(Object.keys(got!.error!), ["code", "name", "cause", "stack", "message"]);
    },
  );
});
