import { assertEquals, assertStringIncludes } from "@std/assert";
import { done, signal, step, timer, type, type Workflow, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

const ok = { ok: type() };
const first = step("first", { events: ok, run: ({ emit }) => emit.ok() });
const added = step("added", { events: ok, run: ({ emit }) => emit.ok() });
const nap = timer("nap", "1h");
// The compiler takes the two steps for one: they are told apart by their names only.
// deno-lint-ignore no-explicit-any
const flow = (last: any): Workflow =>
  // deno-lint-ignore no-explicit-any
  (workflow("flow", { key: "id", input: type(), start: first }) as any)
    .on(first, { ok: last })
    .on(last, { ok: done })
    .build();
const newer = flow(added);
const older = flow(first.as("removed"));
const napping = workflow("napping", { key: "id", input: type(), start: nap })
  .on(nap, { elapsed: done })
  .build();
const simple = workflow("simple", { key: "id", input: type(), start: first })
  .on(first, { ok: done })
  .build();

onPostgres("a job for a step that the code here does not have", (it) => {
  it("is put off for a minute, without using up an attempt, until the code is there", {
    workflows: [newer],
  }, async ({ hephaestus, another, sql }) => {
    const handle = await hephaestus.start(newer, "one", undefined);
    await sql`update hephaestus.jobs set step = 'added'`;
    // An instance from before graphs were kept: of any other, the changed graph is refused.
    await sql`
      update hephaestus.workflow_instances
      set control = '{"active":{"added":"first"}}', graph = null`;

    const old = another({ workflows: [older] });
    const worker = old.work({ poll: "20ms" });
    await worker.ready;
    const put = () =>
      sql`select state, attempt, scheduled_at > now() + interval '50 s' as later
        from hephaestus.jobs`;
    await eventually(async () => (await put())[0]?.state === "scheduled", "it is put off");
    assertEquals([...await put()], [{ state: "scheduled", attempt: 0, later: true }]);
    await worker.stop();

    await sql`update hephaestus.jobs set scheduled_at = now()`;
    await hephaestus.work({ poll: "20ms" }).ready;
    assertEquals((await handle.result()).status, "completed");
  });
});

onPostgres("a row that somebody has edited by hand", (it) => {
  const edits = {
    "a job whose args are no object": `update hephaestus.jobs set args = '[1]'`,
    "a job without args": `update hephaestus.jobs set args = null`,
    "a job whose event is a number": `update hephaestus.jobs set args = '{"event":7}'`,
    "an event that is not declared": `update hephaestus.jobs set args = '{"event":"constructor"}'`,
  };
  for (const [title, edit] of Object.entries(edits)) {
    it(
      `is not retried hotly and harms nobody: ${title}`,
      { workflows: [napping, simple] },
      async ({ hephaestus, sql, work }) => {
        const bad = await hephaestus.start(napping, "bad", undefined);
        await sql.unsafe(edit);
        await sql`update hephaestus.jobs set state = 'available', scheduled_at = now()`;

        await work({ poll: "20ms" });
        const good = await Promise.all(
          Array.from({ length: 20 }, (_, n) => hephaestus.start(simple, `good-${n}`, undefined)),
        );
        for (const handle of good) assertEquals((await handle.result()).status, "completed");

        const end = async () => {
          const [job] =
            await sql`select state, attempt, scheduled_at > attempted_at + interval '0.4 s' as later
          from hephaestus.jobs where instance_id = ${bad.id}`;
          const instance = await hephaestus.get(napping, { id: bad.id });
          return { status: instance?.status, says: instance?.error?.message, job };
        };
        // An event that no step declares is told as such; what cannot be read at all may be repaired, and is tried again.
        let looked = await end();
        await eventually(async () => {
          looked = await end();
          return looked.status === "failed" || looked.job?.state === "retryable";
        }, "it has been looked at");
        const { status, says, job } = looked;
        if (status === "failed") assertStringIncludes(says!, "it does not declare the event");
        else assertEquals([status, job?.state, job?.later], ["waiting", "retryable", true]);
      },
    );
  }
});

const gates = new Map<string, Gate>();
const stubborn = step("stubborn", {
  events: ok,
  async run({ instance, emit }) {
    await gates.get(instance.key)?.opened;
    return emit.ok();
  },
});
const deaf = workflow("deaf", { key: "id", input: type(), start: stubborn })
  .on(stubborn, { ok: done })
  .build();

everywhere("a step that ignores its signal", (it) => {
  it("gives its slot up when its instance is cancelled, and its result is not applied", {
    workflows: [deaf],
  }, async ({ hephaestus, work }) => {
    const gate = new Gate();
    gates.set("id::one", gate);
    await work({ queues: { default: 1 } });
    const started = new Promise<void>((resolve) => hephaestus.on("step:start", () => resolve()));
    const one = await hephaestus.start(deaf, "one", undefined);
    await started;

    await hephaestus.cancel(deaf, "one");
    const two = await hephaestus.start(deaf, "two", undefined);
    assertEquals((await two.result()).status, "completed");
    gate.open();
    const three = await hephaestus.start(deaf, "three", undefined);
    await three.result();

    assertEquals((await one.result()).status, "cancelled");
    assertEquals(await hephaestus.history(deaf, { id: one.id }), []);
  });
});

// deno-lint-ignore no-explicit-any
const open = signal("open", { events: { given: type<any>() } });
const echo = step("echo", {
  // deno-lint-ignore no-explicit-any
  input: type<any>(),
  // deno-lint-ignore no-explicit-any
  events: { ok: type<any>() },
  run: ({ input, emit }) => emit.ok(input, { metadata: { input: Object.keys(input).length } }),
});
// deno-lint-ignore no-explicit-any
const echoing = workflow("echoing", { key: "id", input: type<any>(), start: open })
  .on(open, { given: echo })
  .on(echo, { ok: done })
  .build();

everywhere("a value with names of another object", (it) => {
  it("comes back as it was, however large, and changes no prototype", {
    workflows: [echoing],
    payloadLimit: 4_000_000,
  }, async ({ hephaestus, work }) => {
    await work();
    const values: readonly object[] = [
      { constructor: 1, prototype: { a: 1 }, toString: "x", hasOwnProperty: null, valueOf: [] },
      { text: "x".repeat(2_000_000) },
      Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, n])),
    ];
    for (const [n, value] of values.entries()) {
      const handle = await hephaestus.start(echoing, `n${n}`, value);
      await hephaestus.resume(echoing, `n${n}`, open.emit.given(value));
      const end = await handle.result();
      const history = await hephaestus.history(echoing, handle);
      for (const back of [end.input, ...history.map(({ output }) => output)]) {
        assertEquals(JSON.stringify(sorted(back)), JSON.stringify(sorted(value)));
      }
    }
    assertEquals(`${{}}`, "[object Object]");
  });

  it("names no event or step of a delivery", { workflows: [echoing] }, async ({ hephaestus }) => {
    await hephaestus.start(echoing, "one", {});
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      for (const delivery of [{ step: name, event: "given" }, { step: "open", event: name }]) {
        const refused = await hephaestus.resume(echoing, "one", delivery as never).catch((error) =>
          error
        );
        assertEquals((refused as Error).constructor, TypeError, name);
      }
    }
  });
});

/** The members in the order of their names: jsonb keeps an order of its own. */
function sorted(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}
