import { assertEquals, assertStringIncludes } from "@std/assert";
import { done, FatalError, step, type Type, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

const retry = { attempts: 2, backoff: "constant", base: "1ms" } as const;
const runs = new Map<string, number>();

/** What a step throws, and what becomes of it. */
const thrown: {
  readonly [name: string]: {
    readonly make: () => unknown;
    readonly runs: number;
    readonly status?: "completed";
  };
} = {
  "fatal-of-a-copy": { make: copied("FATAL"), runs: 1 },
  "fatal-that-is-no-error": { make: () => ({ code: "FATAL", message: "no" }), runs: 1 },
  "later-of-a-copy": {
    make: copied("RETRY_LATER", { after: "1ms" }),
    runs: 4,
    status: "completed",
  },
  "later-without-a-time": { make: copied("RETRY_LATER"), runs: 2 },
  "later-at-no-time": { make: copied("RETRY_LATER", { after: -1 }), runs: 2 },
  "later-in-ages": { make: copied("RETRY_LATER", { after: "1e9d" }), runs: 2 },
  "later-by-an-object": {
    make: copied("RETRY_LATER", { after: { toString: () => "1ms" } }),
    runs: 2,
  },
  "later-that-throws": {
    make: () =>
      Object.defineProperty(copied("RETRY_LATER")() as object, "after", {
        get() {
          throw new FatalError("Do not ask");
        },
      }),
    runs: 2,
  },
  "a-code-that-throws": {
    make: () =>
      Object.defineProperty(new Error("no code"), "code", {
        get() {
          throw new Error("Do not ask");
        },
      }),
    runs: 2,
  },
};

const workflows = Object.entries(thrown).map(([name, { make }]) => {
  const only = step("only", {
    events: { ok: type() },
    retry,
    run({ instance, emit }) {
      const run = (runs.get(instance.workflow) ?? 0) + 1;
      runs.set(instance.workflow, run);
      if (run < 4) throw make();
      return emit.ok();
    },
  });
  return workflow(name, { key: "id", input: type(), start: only }).on(only, { ok: done }).build();
});

everywhere("an error of another copy of the package", (it) => {
  it("is known by its code, and a forged one does no harm", { workflows }, async ({
    hephaestus,
    work,
  }) => {
    runs.clear();
    await work();

    const ends = await Promise.all(workflows.map(async (flow) => {
      const { status } = await (await hephaestus.start(flow, "one", undefined)).result();
      return [flow.name, status, runs.get(flow.name)];
    }));

    assertEquals(
      ends,
      Object.entries(thrown).map(([name, { status, runs }]) => [name, status ?? "failed", runs]),
    );
  });
});

/** A promise that is none of this realm's. */
function foreign<T>(value: T): Promise<T> {
  return { then: (resolve: (value: T) => void) => resolve(value) } as never;
}

const even = (value: unknown) =>
  value === 2 ? { value: 2 } : { issues: [{ message: "expected 2" }] };
const two: Type<number> = {
  "~standard": { version: 1, vendor: "elsewhere", validate: (value) => foreign(even(value)) },
};
const count = step("count", {
  input: type<number>(),
  events: { counted: two },
  retry: { attempts: 1 },
  run: ({ input, emit }) => emit.counted(input),
});
const counting = workflow("counting", { key: "id", input: type<number>(), start: count })
  .on(count, { counted: done })
  .build();

everywhere("a schema whose promise is not ours", (it) => {
  it("is asked, and what it returns is stored", { workflows: [counting] }, async ({
    hephaestus,
    work,
  }) => {
    await work();

    const good = await (await hephaestus.start(counting, "good", 2)).result();
    const bad = await (await hephaestus.start(counting, "bad", 3)).result();

    assertEquals([good.status, bad.status], ["completed", "failed"]);
    assertStringIncludes(bad.error!.message, "expected 2");
    const [entry] = await hephaestus.history(counting, "good");
    assertEquals(entry?.output, 2);
  });
});

function copied(code: string, more: object = {}): () => unknown {
  return () => Object.assign(new Error("of a copy"), { code, ...more });
}
