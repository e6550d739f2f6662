import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import {
  choice,
  done,
  type Logger,
  step,
  type Type,
  type,
  versioned,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

const tenant = new AsyncLocalStorage<string>();
const seen = new Map<string, string[]>();

/** Notes in whose context the engine has called this code. */
function note(where: string): void {
  const notes = seen.get(where) ?? [];
  notes.push(tenant.getStore() ?? "nobody");
  seen.set(where, notes);
}

/** A schema that looks at its context, at once or later. */
function looking<T>(where: string, later: boolean): Type<T> {
  const validate = (value: unknown) => {
    note(where);
    return { value: value as T };
  };
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: later ? (value) => Promise.resolve(value).then(validate) : validate,
    },
  };
}

const listening: Logger = {
  debug: () => note("logger"),
  info: () => note("logger"),
  warn: () => note("logger"),
  error: () => note("logger"),
};

const first = step("first", {
  events: { ok: looking<number>("schema of an output", true) },
  async run({ emit }) {
    note("first step");
    await Promise.resolve();
    note("first step, later");
    return emit.ok(1);
  },
});
const either = choice("either", {
  events: { left: looking<undefined>("schema of a choice", false) },
  decide({ emit }) {
    note("choice");
    return emit.left();
  },
});
const writing = step("writing", {
  events: { ok: type() },
  run({ tx, emit }) {
    note("second step");
    return tx(async () => {
      note("tx");
      await Promise.resolve();
      note("tx, later");
      return emit.ok();
    });
  },
});
const last = step("last", {
  retry: { attempts: 2, backoff: "constant", base: "1ms" },
  events: { ok: type() },
  run({ attempt, emit }) {
    note("last step");
    if (attempt === 1) throw new Error("It fails once");
    return emit.ok();
  },
});
const one = workflow("orders", {
  key: "id",
  input: looking<number>("schema of an input", true),
  start: first,
})
  .on(first, { ok: either })
  .on(either, { left: writing })
  .on(writing, { ok: last })
  .on(last, { ok: done })
  .build();
const orders = versioned("orders", {
  versions: { 1: one },
  current: 1,
  pick() {
    note("pick");
    return 1 as const;
  },
});

const places = [
  "first step",
  "first step, later",
  "schema of an output",
  "choice",
  "schema of a choice",
  "second step",
  "tx",
  "tx, later",
  "last step",
  "schema of an input",
  "pick",
  "listener",
];

let begun = new Gate();
const waiting = step("waiting", {
  events: { ok: type() },
  run: ({ abortSignal, emit }) =>
    new Promise((resolve) => {
      abortSignal.addEventListener("abort", () => {
        note("abort");
        resolve(emit.ok());
      });
      begun.open();
    }),
});
const endless = workflow("endless", { key: "id", input: type(), start: waiting })
  .on(waiting, { ok: done }).build();

const quick = step("quick", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const broken = workflow("broken", { key: "id", input: type(), start: quick })
  .on(quick, { ok: done }).build();

const thenable = step("thenable", {
  events: { ok: type() },
  run: ({ emit }) =>
    ({
      then(resolve: (outcome: unknown) => void) {
        note("thenable");
        resolve(emit.ok());
      },
    }) as never,
});
const lazy = workflow("lazy", { key: "id", input: type(), start: thenable })
  .on(thenable, { ok: done }).build();

everywhere("the asynchronous context of a caller of the engine", (it) => {
  it(
    "reaches no step, choice, tx, schema, pick or listener",
    { workflows: [orders] },
    async ({ hephaestus, work }) => {
      seen.clear();
      for (const event of ["workflow:start", "step:start", "step:stop", "workflow:stop"] as const) {
        hephaestus.on(event, () => note("listener"));
      }
      await tenant.run("the host", () => work());

      await Promise.all(
        ["ada", "bob"].map((key) =>
          tenant.run(key, async () => {
            const handle = await hephaestus.start(orders, key, 1);
            assertEquals((await handle.result()).status, "completed");
            assertEquals(tenant.getStore(), key, "the caller keeps its own");
          })
        ),
      );

      for (const place of places) {
        assertEquals([place, ...new Set(seen.get(place))], [place, "nobody"]);
      }
    },
  );

  it(
    "reaches no step that is aborted by a cancel",
    { workflows: [endless] },
    async ({ hephaestus, work }) => {
      seen.clear();
      begun = new Gate();
      await work();
      await hephaestus.start(endless, "a", undefined);
      await begun.opened;

      await tenant.run("ada", () => hephaestus.cancel(endless, "a"));

      await eventually(() => seen.has("abort"), "the step is aborted");
      assertEquals(seen.get("abort"), ["nobody"]);
    },
  );

  it(
    "reaches no logger",
    { workflows: [broken], logger: listening },
    async ({ hephaestus, work }) => {
      seen.clear();
      await work();
      hephaestus.on("workflow:start", () => {
        throw new Error("A listener that fails");
      });

      await tenant.run(
        "ada",
        async () => (await hephaestus.start(broken, "a", undefined)).result(),
      );

      assertEquals([...new Set(seen.get("logger"))], ["nobody"]);
    },
  );

  it(
    "reaches no thenable that a step returns",
    { workflows: [lazy] },
    async ({ hephaestus, work }) => {
      seen.clear();
      await work();

      await tenant.run("ada", async () => (await hephaestus.start(lazy, "a", undefined)).result());

      assertEquals(seen.get("thenable"), ["nobody"]);
    },
  );
});
