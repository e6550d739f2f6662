import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, join, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import type { Written } from "../../../src/backend/store.ts";
import type { Turn } from "../../../src/backend/turn.ts";
import { memory } from "../../../src/testing/mod.ts";
import { silent } from "../../everywhere.ts";

const ok = { ok: type() };
const code = <const Name extends string>(
  name: Name,
  where: { queue?: string; priority?: number } = {},
) => step(name, { events: ok, ...where, run: ({ emit }) => emit.ok() });

const [a, b, c] = [code("a"), code("b"), code("c")];
const [near, far] = [code("near", { queue: "here" }), code("far", { queue: "there" })];
const [early, late] = [code("early", { priority: 1 }), code("late", { priority: 2 })];
const inTransaction = step("inTransaction", {
  events: ok,
  run: ({ emit, tx }) => tx(() => emit.ok()),
});
const start = { key: "id", input: type() } as const;
const chain = workflow("chain", { ...start, start: a })
  .on(a, { ok: b }).on(b, { ok: c }).on(c, { ok: done }).build();
const fan = workflow("fan", { ...start, start: a })
  .on(a, { ok: [b, c] }).on(b, { ok: join(near) }).on(c, { ok: join(near) }).on(near, { ok: done })
  .build();
const queues = workflow("queues", { ...start, start: near })
  .on(near, { ok: far }).on(far, { ok: done }).build();
const priorities = workflow("priorities", { ...start, start: early })
  .on(early, { ok: late }).on(late, { ok: done }).build();
const transactions = workflow("transactions", { ...start, start: inTransaction })
  .on(inTransaction, { ok: b }).on(b, { ok: done }).build();

/** A backend in memory, what was committed on it, and an answer that may be put in the place of a commit. */
function watched(instead: () => Written | undefined = () => undefined) {
  const memoryBackend = memory() as Storage & ReturnType<typeof memory>;
  const { store } = memoryBackend;
  const turns: Turn[] = [];
  const commit = (write: typeof store.commit): typeof store.commit => async (process, some) => {
    const answer = instead();
    if (answer !== undefined) return answer;
    turns.push(...some);
    return await write(process, some);
  };
  const backend: Storage = {
    ...memoryBackend,
    store: {
      ...store,
      commit: commit(store.commit),
      transaction: (work) =>
        store.transaction((tx) =>
          work({ ...tx, commit: commit((process, some) => tx.commit(process, some)) })
        ),
    },
  };
  return { backend, turns, jobs: memoryBackend.jobs };
}

const workflows = [chain, fan, queues, priorities, transactions];

/** What each turn of an instance does with its jobs. */
async function turnsOf(of: (typeof workflows)[number]): Promise<readonly string[]> {
  const { backend, turns, jobs } = watched();
  await using hephaestus = new Hephaestus({ backend, workflows, logger: silent });
  await using worker = hephaestus.work({ poll: "1m", queues: { default: 4, here: 4, there: 4 } });
  await worker.ready;
  const handle = await hephaestus.start(of, "one", undefined);
  assertEquals((await handle.result()).status, "completed");
  assertEquals(jobs(), []);
  return turns.map(({ settled, started, reused }) =>
    [`-${settled.length}`, ...started.map(({ step }) => `+${step}`), ...reused ? [reused.step] : []]
      .join(" ")
  );
}

describe("a step that ends and is followed by one that begins here", () => {
  it("passes its row on, to the last step of a chain", async () => {
    assertEquals(await turnsOf(chain), ["-0 b", "-0 c", "-1"]);
  });

  it("passes its row on from its own transaction", async () => {
    assertEquals(await turnsOf(transactions), ["-0 b", "-1"]);
  });

  it("passes it on to one of several", async () => {
    const [first] = await turnsOf(fan);

    assertEquals(first, "-0 +c b");
  });

  it("passes nothing on to another queue or priority", async () => {
    assertEquals(await turnsOf(queues), ["-1 +far", "-1"]);
    assertEquals(await turnsOf(priorities), ["-1 +late", "-1"]);
  });

  it("keeps its slot when the turn was not written, and gives it back in the end", async () => {
    const answers: Written[] = [new Map(), new Map()];
    const { backend, turns } = watched(() => answers.pop());
    await using hephaestus = new Hephaestus({ backend, workflows, logger: silent });
    await using worker = hephaestus.work({ poll: "1s", queues: { default: 1 } });
    await worker.ready;

    for (const key of ["one", "two"]) {
      const handle = await hephaestus.start(chain, key, undefined);
      assertEquals((await handle.result()).status, "completed");
    }

    assertEquals(answers, []);
    const ids = turns.flatMap(({ reused }) => reused?.id ?? []);
    assertEquals([ids.length, new Set(ids).size], [4, 2]);
  });
});
