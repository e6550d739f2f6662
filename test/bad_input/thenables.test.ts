import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { choice, done, step, type Type, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

/** A promise as a library or another realm makes it. */
const foreign = <T>(value: T): Promise<T> =>
  runInNewContext("Promise.resolve(value)", { value }) as Promise<T>;

/** A schema of another realm, which takes its time and accepts numbers only. */
const slow: Type<number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      foreign(
        typeof value === "number"
          ? { value: value + 1 }
          : { issues: [{ message: "expected a number" }] },
      ),
  },
};

const add = step("add", {
  input: type<number>(),
  events: { ok: slow },
  retry: { attempts: 1 },
  run: ({ input, emit }) => foreign(emit.ok(input === 2 ? "two" as never : input)),
});
const adding = workflow("adding", { key: "id", input: slow, start: add }).on(add, { ok: done })
  .build();

const hostile: { readonly [title: string]: unknown } = {
  "whose then cannot be read": {
    get then() {
      throw new Error("no");
    },
  },
  "that resolves with itself": {
    then(done: (value: unknown) => void) {
      done(this);
    },
  },
  "that never answers": { then() {} },
};
const titles = Object.keys(hostile);
const bad = step("bad", {
  input: type<number>(),
  events: { ok: type() },
  timeout: "50ms",
  retry: { attempts: 2, backoff: "constant", base: "1ms" },
  run: ({ input }) => hostile[titles[input]!] as never,
});
const failing = workflow("failing", { key: "id", input: type<number>(), start: bad })
  .on(bad, { ok: done })
  .build();

const go = step("go", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const wait = choice("wait", {
  events: { ok: type() },
  decide: () => Promise.reject(new Error("nobody listens")) as never,
});
const waiting = workflow("waiting", { key: "id", input: type(), start: go })
  .on(go, { ok: wait })
  .on(wait, { ok: done })
  .build();

everywhere("a promise of another make", (it) => {
  it(
    "is awaited where a schema or a step returns it",
    { workflows: [adding] },
    async ({ hephaestus, work }) => {
      await work();
      const good = await hephaestus.start(adding, "a", 5);
      const refused = await hephaestus.start(adding, "b", 1);

      assertEquals((await good.result()).input, 6);
      const [entry] = await hephaestus.history(adding, "a");
      assertEquals(entry?.output, 7);
      const { status, error } = await refused.result();
      assertEquals(status, "failed");
      assertStringIncludes(error?.message ?? "", "expected a number");
    },
  );

  it(
    "that is none fails its step, and harms no step beside it",
    { workflows: [failing, adding] },
    async ({ hephaestus, work }) => {
      await work();
      const handles = [];
      for (const input of titles.keys()) {
        handles.push(await hephaestus.start(failing, `${input}`, input));
      }
      const good = await hephaestus.start(adding, "a", 5);

      assertEquals((await good.result()).status, "completed");
      for (const handle of handles) assertEquals((await handle.result()).status, "failed");
      for (const input of titles.keys()) {
        const [entry] = await hephaestus.history(failing, `${input}`);
        assertEquals([entry?.event, entry?.attempts], ["__failed__", 2]);
      }
    },
  );

  it(
    "from a choice fails the instance, and its rejection is nobody's",
    { workflows: [waiting] },
    async ({ hephaestus, work }) => {
      await work();

      const { status, error } = await (await hephaestus.start(waiting, "a", undefined)).result();

      assertEquals(status, "failed");
      assert(error?.message.includes("a choice must be synchronous"), error?.message);
    },
  );
});
