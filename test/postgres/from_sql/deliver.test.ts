import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "postgres";
import {
  again,
  done,
  type Hephaestus,
  signal,
  step,
  type Type,
  type,
  workflow,
} from "../../../mod.ts";
import { eventually, keeping, onPostgres } from "../../everywhere.ts";
import { violated } from "./violated.ts";

interface Answer {
  readonly by: string;
}

/** Takes a name, and writes it in small letters. */
const name: Type<Answer> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value) {
      const { by } = (value ?? {}) as Partial<Answer>;
      return typeof by === "string"
        ? { value: { by: by.toLowerCase() } }
        : { issues: [{ message: "names nobody" }] };
    },
  },
};
const ask = step("ask", { events: { asked: type() }, run: ({ emit }) => emit.asked() });
const review = signal("review", {
  events: { passed: name, again: type() },
  expires: "1h",
});
const scan = step("scan", {
  needs: [review.when("passed")],
  events: { scanned: type<number>() },
  async: true,
  run: ({ emit }) => emit.later(),
  expires: "1h",
});
const paper = workflow("paper", { key: "id", input: type(), start: ask })
  .on(ask, { asked: review })
  .on(review, { passed: scan, again: again(ask, { limit: 3 }), expired: done })
  .on(scan, { scanned: done, expired: done })
  .build();
const free = workflow("free", { key: "id", input: type(), start: review, scope: "none" })
  .on(review, { passed: done, again: done, expired: done })
  .build();
const options = { workflows: [paper, free] };

async function deliver(sql: Sql, args: string): Promise<string> {
  const [row] = await sql.unsafe<{ deliver: string }[]>(`select hephaestus.deliver(${args})`);
  return row!.deliver;
}

/** The state of a job and its sentence; nothing when it is done. */
async function fate(sql: Sql, job: string): Promise<readonly unknown[] | undefined> {
  const [row] = await sql<{ state: string; code: string; message: string }[]>`
    select state, errors -> -1 ->> 'code' as code, errors -> -1 ->> 'message' as message
    from hephaestus.jobs where id = ${job}`;
  return row && [row.state, row.code, row.message];
}

const settled = (sql: Sql, job: string) =>
  eventually(async () => {
    const [state] = await fate(sql, job) ?? [];
    return state === undefined || state === "discarded";
  }, "the delivery is taken or discarded");

async function refusal(sql: Sql, args: string): Promise<readonly unknown[]> {
  const error = await assertRejects(() => deliver(sql, args)) as Error & Record<string, unknown>;
  return [error.code, error.message];
}

async function waiting(hephaestus: Hephaestus, key: string, at = "review"): Promise<void> {
  const isThere = async () => (await hephaestus.get(paper, key))?.active.includes(at) === true;
  await eventually(isThere, `it waits at ${at}`);
}

onPostgres("a delivery from SQL", (it) => {
  it(
    "goes through the schema of its event, and ends signals and asynchronous steps",
    options,
    async (world) => {
      const { hephaestus, sql, work } = world;
      await work({ poll: "1h" });
      const heard: string[] = [];
      hephaestus.on("step:resume", ({ step, result }) => void heard.push(`${step} ${result}`));
      const handle = await hephaestus.start(paper, "a", undefined);
      await waiting(hephaestus, "a");

      await deliver(
        sql,
        `'paper', 'a', 'review', 'passed', '{"by": "MARIA"}', metadata => '{"from": "sql"}'`,
      );
      await waiting(hephaestus, "a", "scan");
      await deliver(sql, `'paper', '${handle.id}', 'scan', 'scanned', '7'`);

      assertEquals((await handle.result()).status, "completed");
      const history = await hephaestus.history(paper, "a");
      assertEquals(
        history.map(({ step, event, output }) => [step, event, output]).filter(([, event]) =>
          event !== "__async__"
        ),
        [
          ["ask", "asked", undefined],
          ["review", "passed", { by: "maria" }],
          ["scan", "scanned", 7],
        ],
      );
      assertEquals((await hephaestus.get(paper, "a"))?.metadata, { from: "sql" });
      assertEquals(heard, ["review accepted", "scan accepted"]);
      assertEquals(await violated(sql), []);
    },
  );

  it(
    "is discarded with a sentence when its output cannot be taken, and its instance goes on waiting",
    options,
    async (world) => {
      const { hephaestus: quiet, sql, another } = world;
      const logger = keeping();
      const hephaestus = another({ logger });
      await hephaestus.work({ poll: "100ms" }).ready;
      await quiet.start(paper, "a", undefined);
      await waiting(hephaestus, "a");

      const job = await deliver(sql, `'paper', 'a', 'review', 'passed', '{"by": 7}'`);
      await settled(sql, job);

      assertEquals(await fate(sql, job), [
        "discarded",
        "INVALID_VALUE",
        'Cannot deliver output of event "passed" of signal "review": value names nobody',
      ]);
      assert(logger.said.some((line) => line.startsWith("A delivery from SQL cannot be taken.")));
      assertEquals(await violated(sql), []);
      await deliver(sql, `'paper', 'a', 'review', 'passed', '{"by": "ada"}'`);
      await waiting(hephaestus, "a", "scan");
    },
  );

  it("is for the round in which it was sent", options, async (world) => {
    const { hephaestus, sql, work } = world;
    await hephaestus.start(paper, "a", undefined);
    const first = await work();
    await waiting(hephaestus, "a");
    await first.stop();

    const repeat = () => deliver(sql, `'paper', 'a', 'review', 'again'`);
    const [one, two] = [await repeat(), await repeat()];
    await sql`
      update hephaestus.jobs set state = 'scheduled', scheduled_at = now() + interval '1 h' where id = ${two}`;
    await work();
    const results = async () => (await hephaestus.history(paper, "a")).length;
    await eventually(async () => await results() === 3, "the second round");
    await settled(sql, one);
    await sql`update hephaestus.jobs set state = 'available', scheduled_at = now() where id = ${two}`;
    await settled(sql, two);
    await waiting(hephaestus, "a");

    const history = await hephaestus.history(paper, "a");
    assertEquals(
      history.filter(({ step }) => step === "review").map(({ activation }) => activation),
      [1],
    );
    await settled(sql, await deliver(sql, `'paper', 'a', 'review', 'again', activation => 2`));
    await eventually(
      async () => (await hephaestus.history(paper, "a")).length === 5,
      "the third round",
    );
    assertEquals(await violated(sql), []);
  });

  it(
    "is refused at once when nothing could ever take it",
    options,
    async ({ hephaestus, sql, work }) => {
      await work();
      await hephaestus.start(paper, "a", undefined);
      await hephaestus.start(paper, "over", undefined);
      await hephaestus.cancel(paper, "over");
      await hephaestus.startMany(free, ["two", "two"].map((key) => ({ key, input: undefined })));

      for (
        const [args, code, sentence] of [
          [
            `'papers', 'a', 'review', 'passed'`,
            "42704",
            'Cannot deliver to workflow "papers": no worker that has it has started on this database',
          ],
          [
            `'paper', 'b', 'review', 'passed'`,
            "P0002",
            'Cannot deliver to paper "b": there is no such instance',
          ],
          [
            `'paper', 'over', 'review', 'passed'`,
            "55000",
            'Cannot deliver to paper "over": it is cancelled',
          ],
          [
            `'free', 'two', 'review', 'passed'`,
            "21000",
            'Cannot deliver to free "two": several active instances have this key',
          ],
          [
            `'paper', 'a', 'reviews', 'passed'`,
            "22023",
            'Cannot deliver to paper "a": it has no signal "reviews"',
          ],
          [
            `'paper', 'a', 'ask', 'asked'`,
            "22023",
            'Cannot deliver to paper "a": step "ask" does not wait for a delivery',
          ],
          [
            `'paper', 'a', 'review', 'past'`,
            "22023",
            'Cannot deliver to paper "a": signal "review" declares no event "past"',
          ],
          [
            `'paper', 'a', 'review', 'expired'`,
            "22023",
            'Cannot deliver to paper "a": signal "review" declares no event "expired"',
          ],
        ] as const
      ) {
        assertEquals(await refusal(sql, args), [code, sentence]);
      }
      assertEquals(await violated(sql), []);
    },
  );

  it(
    "reaches an instance that SQL starts in the same transaction",
    options,
    async ({ hephaestus, sql, work }) => {
      await work();
      await sql.begin(async (tx) => {
        await tx`select hephaestus.start('paper', 'a')`;
        await tx`select hephaestus.deliver('paper', 'a', 'review', 'passed', '{"by": "Ada"}')`;
      });

      await waiting(hephaestus, "a", "scan");
      assertEquals(await violated(sql), []);
    },
  );
}, ["inline"]);
