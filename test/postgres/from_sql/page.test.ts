import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { done, Hephaestus, signal, step, type, workflow } from "../../../mod.ts";
import { migrate } from "../../../src/postgres/mod.ts";
import { silent } from "../../everywhere.ts";
import { migrated } from "../../pg.ts";

const page = readFileSync(new URL("../../../docs/control_flow.md", import.meta.url), "utf8");
const [, triggers = ""] = /```sql\n([^`]*)```/.exec(page) ?? [];

const payment = signal("payment", {
  events: { received: type<{ readonly receipt: string }>() },
  expires: "1h",
});
const ship = step("ship", {
  input: type<{ readonly amount: number }>(),
  needs: [payment.when("received")],
  events: { shipped: type<string>() },
  run: ({ input, steps, emit }) => emit.shipped(`${input.amount}, ${steps.payment.receipt}`),
});
const order = workflow("order", {
  key: "orderid",
  input: type<{ readonly amount: number }>(),
  start: payment,
})
  .on(payment, { received: ship, expired: done })
  .on(ship, { shipped: done })
  .build();

describe("the triggers of docs/control_flow.md", () => {
  it("start and deliver with the row that they belong to, or not at all", async () => {
    await using t = await migrated();
    const { sql, url } = t;
    await sql.unsafe(triggers);
    await using hephaestus = new Hephaestus({ url, workflows: [order], logger: silent });
    const worker = hephaestus.work({ poll: "100ms" });
    await worker.ready;

    await sql`insert into orders values ('a', 5)`;
    const rolledBack = sql.begin(async (tx) => {
      await tx`insert into orders values ('b', 6)`;
      throw new Error("never mind");
    });
    await assertRejects(() => rolledBack, Error, "never mind");
    await sql`insert into payments values ('a', 'r-1')`;
    const handle = await hephaestus.handle(order, "a");

    assertEquals((await handle?.result())?.status, "completed");
    assertEquals((await hephaestus.history(order, "a")).at(-1)?.output, "5, r-1");
    assertEquals((await hephaestus.get(order, "a"))?.tags, ["shop"]);
    assertEquals(await hephaestus.get(order, "b"), undefined);
    const toNobody = sql`insert into payments values ('c', 'r-2')`;
    await assertRejects(() => toNobody, Error, "there is no such instance");

    await worker.stop();
    await sql`insert into orders values ('d', 7)`;
    const down = () => migrate({ url, direction: "down", to: 2 });
    await assertRejects(down, Error, "violated by some row");
    await sql`delete from hephaestus.workflow_instances where revision = 0`;
    assertEquals((await down()).reverted.length, 1);
  });
});
