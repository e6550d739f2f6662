import { assert, assertEquals } from "@std/assert";
import { choice, done, step, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

class Bare {
  readonly reason = "bare";
}

function looped(): Error {
  const error = new Error("a circle");
  error.cause = error;
  return error;
}

const thrown: { readonly [title: string]: () => unknown } = {
  undefined: () => undefined,
  null: () => null,
  "a text": () => "just a text",
  "a number": () => 7,
  "a bigint": () => 7n,
  "a symbol": () => Symbol("s"),
  "a function": () => () => 1,
  "a bare object": () => new Bare(),
  "a frozen error": () => Object.freeze(new Error("frozen")),
  "a circular cause": looped,
  "a message that throws": () =>
    Object.defineProperty(new Error(), "message", {
      get() {
        throw new Error("no");
      },
    }),
  "a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "an error without end": () => new Error("x".repeat(5_000_000)),
  "a stack without end": () => Object.assign(new Error("s"), { stack: "x".repeat(5_000_000) }),
  "two thousand errors": () =>
    new AggregateError(Array.from({ length: 2_000 }, (_, n) => new Error(`${n}`))),
  "characters that cannot be stored": () => new Error("a\u0000b\ud800c"),
  "an error that holds an unstorable value": () => Object.assign(new Error("big"), { big: 1n }),
};
const titles = Object.keys(thrown);

const fail = step("fail", {
  input: type<number>(),
  events: { ok: type() },
  retry: { attempts: 2, base: "1ms", max: "5ms" },
  run({ input }) {
    throw thrown[titles[input]!]!();
  },
});
const failing = workflow("failing", { key: "id", input: type<number>(), start: fail })
  .on(fail, { ok: done })
  .build();

const go = step("go", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const pick = choice("pick", {
  input: type<number>(),
  events: { ok: type() },
  decide({ input }) {
    throw thrown[titles[input]!]!();
  },
});
const deciding = workflow("deciding", { key: "id", input: type<number>(), start: go })
  .on(go, { ok: pick })
  .on(pick, { ok: done })
  .build();

everywhere("whatever a step throws", (it) => {
  it("is recorded as an attempt, as bounded text, and fails the instance in the end", {
    workflows: [failing],
  }, async ({ hephaestus, work }) => {
    await work({ queues: { default: 4 } });
    for (const [n, title] of titles.entries()) {
      const handle = await hephaestus.start(failing, `${n}`, n);
      const end = await handle.result();
      assertEquals(end.status, "failed", title);
      const [entry] = await hephaestus.history(failing, { id: end.id });
      assertEquals([entry?.event, entry?.attempts, entry?.errors.length], ["__failed__", 2, 2]);
      for (const error of [end.error!, ...entry!.errors]) {
        assert(JSON.stringify(error).length < 20_000, title);
      }
    }
  });
});

everywhere("whatever a choice throws", (it) => {
  it("fails the instance in that turn, and the result before it stands", {
    workflows: [deciding],
  }, async ({ hephaestus, work }) => {
    await work({ queues: { default: 4 } });
    for (const [n, title] of titles.entries()) {
      const end = await (await hephaestus.start(deciding, `${n}`, n)).result();
      assertEquals(end.status, "failed", title);
      assert(JSON.stringify(end.error).length < 20_000, title);
      const history = await hephaestus.history(deciding, { id: end.id });
      assertEquals(history[0]?.step, "go");
      assertEquals(history[0]?.state, "applied");
    }
  });
});
