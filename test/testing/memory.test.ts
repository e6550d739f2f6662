import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { memory, type Sql } from "../../src/testing/mod.ts";

const write = step("write", {
  events: { ok: type<number>() },
  retry: { attempts: 1 },
  run: ({ tx, emit }) =>
    tx(async (sql) => {
      const [row] = await sql<{ n: number }>`insert into orders values (${7}) returning n`;
      const [other] = await sql.query<{ n: number }>("select $1", [8]);
      return emit.ok(row!.n + other!.n);
    }),
});
const writing = workflow("writing", { key: "id", input: type(), start: write })
  .on(write, { ok: done })
  .build();
const logger = { debug() {}, info() {}, warn() {}, error() {} };

describe("memory()", () => {
  it("hands the statements of tx to the sql that a test gives", async () => {
    const said: unknown[] = [];
    const answer = (text: string, values: readonly unknown[]) => {
      said.push([text, ...values]);
      return Promise.resolve([{ n: values[0] }]);
    };
    const sql = Object.assign(
      (texts: TemplateStringsArray, ...values: readonly unknown[]) =>
        answer(texts.join("?"), values),
      { query: (text: string, values: readonly unknown[] = []) => answer(text, values) },
    ) as Sql;
    await using hephaestus = new Hephaestus({ backend: memory({ sql }), workflows: [writing] });
    await using _worker = hephaestus.work();

    await (await hephaestus.start(writing, "a", undefined)).result();

    assertEquals((await hephaestus.history(writing, "a"))[0]?.output, 15);
    assertEquals(said, [["insert into orders values (?) returning n", 7], ["select $1", 8]]);
  });

  it("says that it has no database when a step writes through tx", async () => {
    await using hephaestus = new Hephaestus({ backend: memory(), workflows: [writing], logger });
    await using _worker = hephaestus.work();

    const { status, error } = await (await hephaestus.start(writing, "a", undefined)).result();

    assertEquals(status, "failed");
    assertStringIncludes(error?.message ?? "", "Pass one with memory({ sql })");
  });
});
