import { assertEquals, assertRejects } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { silent } from "../everywhere.ts";
import { proxy } from "../proxy.ts";
import { onPostgresBackend } from "./backends.ts";
import { assertSound } from "./story.ts";

let counted: string[] = [];
const first = step("first", {
  events: { ok: type() },
  run({ emit, attempt }) {
    counted.push(`first ${attempt}`);
    return emit.ok();
  },
});
const second = step("second", {
  events: { ok: type() },
  run({ emit, attempt, tx }) {
    counted.push(`second ${attempt}`);
    return tx(async (sql) => {
      await sql`insert into effects values (1)`;
      return emit.ok();
    });
  },
});
const chain = workflow("chain", { key: "id", input: type(), start: first })
  .on(first, { ok: second })
  .on(second, { ok: done })
  .build();

const answersLost = {
  "a claim": "for update skip locked",
  "a commit": "advanced as (",
  "a record": "select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::uuid[]",
  "a start": "opened as (",
};

onPostgresBackend("a lost answer", (it) => {
  for (const [what, text] of Object.entries(answersLost)) {
    it(`to ${what} changes nothing in the story`, {
      workflows: [chain],
    }, async ({ sql, url, inline }) => {
      counted = [];
      await sql`create table effects (n int)`;
      await using road = await proxy(url);
      await using hephaestus = new Hephaestus({
        url: road.url,
        workflows: [chain],
        inline,
        logger: silent,
        poolSize: 8,
      });
      road.swallowAnswerTo(text);
      const worker = hephaestus.work({ poll: "50ms", heartbeat: "50ms", lease: "5s", grace: "1s" });
      await worker.ready;

      const handle = await hephaestus.start(chain, "one", undefined);
      const end = await handle.result();

      assertEquals(end.status, "completed");
      const history = await hephaestus.history(chain, { id: end.id });
      assertEquals(history.map(({ step, attempts }) => `${step} ${attempts}`), [
        "first 1",
        "second 1",
      ]);
      assertEquals((await sql`select from effects`).length, 1);
      assertEquals((await hephaestus.list()).items.length, 1);
      await worker.stop();
      await assertSound(sql);
      await assertRejects(
        () => hephaestus.cancel(chain, { id: end.id }),
        Error,
        "instance is completed",
      );
    });
  }
});
