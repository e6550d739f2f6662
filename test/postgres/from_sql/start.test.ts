import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "postgres";
import {
  choice,
  done,
  HephaestusError,
  signal,
  step,
  type Type,
  type,
  versioned,
  workflow,
} from "../../../mod.ts";
import { eventually, onPostgres } from "../../everywhere.ts";
import { violated } from "./violated.ts";

interface Order {
  readonly amount: number;
  readonly currency: string;
}

/** Takes amounts from 1, and adds a currency. */
const amount: Type<Order, { readonly amount: number; readonly currency?: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    async validate(value) {
      const given = value as Partial<Order> | undefined;
      await Promise.resolve();
      return typeof given?.amount === "number" && given.amount > 0
        ? { value: { amount: given.amount, currency: given.currency ?? "eur" } }
        : { issues: [{ message: "is no amount" }] };
    },
  },
};
const large = choice("large", {
  input: type<Order>(),
  events: { yes: type(), no: type() },
  decide: ({ input, emit }) => input.amount > 100 ? emit.yes() : emit.no(),
});
const pay = step("pay", {
  input: type<Order>(),
  events: { paid: type<string>() },
  run: ({ input, emit }) => emit.paid(`${input.amount} ${input.currency}`),
});
const approval = signal("approval", { events: { given: type() }, expires: "1h" });
const order = workflow("order", {
  key: "orderid",
  input: amount,
  start: large,
  tags: ["shop"],
  metadata: { team: "sales" },
  deadline: "1d",
})
  .on(large, { yes: approval, no: pay })
  .on(approval, { given: pay, expired: done })
  .on(pay, { paid: done })
  .build();

interface Started {
  readonly id: string;
  readonly started: boolean;
}

async function start(sql: Sql, args: string): Promise<Started> {
  const [row] = await sql.unsafe<Started[]>(`select * from hephaestus.start(${args})`);
  return row!;
}

/** The sentence, the SQLSTATE and the hint with which a call is refused. */
async function refusal(sql: Sql, args: string): Promise<readonly unknown[]> {
  const error = await assertRejects(() => start(sql, args)) as Error & Record<string, unknown>;
  return [error.message, error.code, error.hint];
}

/** All that is stored of an instance, without ids and times. */
async function stored(sql: Sql, key: string): Promise<unknown> {
  const [rows] = await sql`
    select to_jsonb(i) - '{id,key,unique_key,inserted_at,updated_at,finished_at}'::text[] as instance,
      split_part(unique_key, '::', 1) as scope, finished_at is not null as finished,
      (select jsonb_agg(to_jsonb(r) - '{instance_id,inserted_at,started_at,process_id}'::text[] order by r.inserted_at)
       from hephaestus.step_results r where r.instance_id = i.id) as results,
      (select jsonb_agg(to_jsonb(j) - '{id,instance_id,scheduled_at,inserted_at,attempted_at,token,attempt,args,process_id}'::text[]
         order by j.step)
       from hephaestus.jobs j where j.instance_id = i.id) as jobs
    from hephaestus.workflow_instances i
    where key = ${`orderid::${key}`}`;
  return rows;
}

onPostgres("an instance that SQL starts", (it) => {
  const options = { workflows: [order] };

  it("has the rows of one that TypeScript starts", options, async (world) => {
    const { hephaestus, sql, work } = world;
    await work({ poll: "1h" });
    for (const [key, cost] of [["waits", 500], ["ends", 5]] as const) {
      const tags = ["vip"];
      const handle = await hephaestus.start(order, `${key}-ts`, { amount: cost }, {
        tags,
        metadata: { by: "maria" },
      });
      const { id, started } = await start(
        sql,
        `'order', '${key}-sql', '{"amount": ${cost}}', tags => '{vip}', metadata => '{"by": "maria"}'`,
      );

      assert(started);
      const own = await hephaestus.handle(order, { id });
      const hasBegun = async () => {
        const [job] = await sql`select from hephaestus.jobs where step = '!start'`;
        return job === undefined;
      };
      if (key === "ends") await Promise.all([handle.result(), own?.result()]);
      else await eventually(hasBegun, "it begins");
      assertEquals(await stored(sql, `${key}-sql`), await stored(sql, `${key}-ts`));
    }
    assertEquals(await violated(sql), []);
  });

  it(
    "fails with a sentence when its input cannot be taken, and is never retried",
    options,
    async (world) => {
      const { hephaestus, sql, work } = world;
      await work();
      const heard: string[] = [];
      hephaestus.on(
        "workflow:exception",
        ({ key, error }) => void heard.push(`${key} ${error.code}`),
      );
      await start(sql, `'order', 'a', '{"amount": -1}'`);

      const handle = await hephaestus.handle(order, "a");
      const { status, error, input } = (await handle?.result())!;

      assertEquals([status, error?.code, input as unknown], ["failed", "INVALID_VALUE", {
        amount: -1,
      }]);
      assertEquals(
        error?.message,
        'Cannot start with input of workflow "order": value is no amount',
      );
      assertEquals(heard, ["orderid::a INVALID_VALUE"]);
      const again = await assertRejects(() => hephaestus.retry(order, "a"), HephaestusError);
      assertEquals(
        again.message,
        'Cannot retry order "orderid::a": it has never begun. Start it again with what it can take',
      );
      assertEquals((await start(sql, `'order', 'a', '{"amount": 1}'`)).started, true);
      assertEquals(await violated(sql), []);
    },
  );

  it(
    "is there before a worker has begun it, keeps deliveries and can be cancelled",
    options,
    async (world) => {
      const { hephaestus, sql, work, another } = world;
      await (await work()).stop();
      const { id } = await start(sql, `'order', 'early', '{"amount": 500}'`);
      await start(sql, `'order', 'cancelled', '{"amount": 5}'`);

      assertEquals((await hephaestus.get(order, "early"))?.status, "pending");
      assertEquals(await hephaestus.resume(order, "early", approval.emit.given()), "early");
      await hephaestus.cancel(order, "cancelled");
      assertEquals(await violated(sql), []);
      const later = (state: string, due: string) =>
        sql`
          update hephaestus.jobs set state = ${state}, scheduled_at = now() + ${due}::text::interval
          where step = '!start' and instance_id = ${id}`;
      await later("scheduled", "1h");
      await another().work({ poll: "50ms" }).ready;
      const advances = () => sql`select from hephaestus.jobs where kind = 'advance'`;
      await eventually(async () => (await advances()).length === 0, "the advance has looked");
      assertEquals((await hephaestus.get(order, "early"))?.revision, 0);
      assertEquals(await violated(sql), []);
      await later("available", "0");

      const result = await (await hephaestus.handle(order, { id }))?.result();
      assertEquals(result?.status, "completed");
      const history = await hephaestus.history(order, "early");
      assertEquals(history.map(({ step, event }) => `${step} ${event}`), [
        "large yes",
        "approval given",
        "pay paid",
      ]);
      assertEquals((await hephaestus.get(order, "cancelled"))?.status, "cancelled");
      assertEquals(await violated(sql), []);
    },
  );

  it("is missed by the doctor when no job begins it", options, async ({ sql, work }) => {
    await (await work()).stop();
    await start(sql, `'order', 'a', '{"amount": 5}'`);
    await sql`delete from hephaestus.jobs`;

    assertEquals(await violated(sql), ["not-begun"]);
  });

  it("is the active one when its key is taken, in each scope", {
    workflows: [
      order,
      workflow("free", { key: "orderid", input: type(), start: approval, scope: "none" })
        .on(approval, { given: done, expired: done })
        .build(),
    ],
  }, async ({ sql, work }) => {
    await work();
    const first = await start(sql, `'order', 'a', '{"amount": 500}'`);

    assertEquals(await start(sql, `'order', 'orderid::a', '{"amount": 1}'`), {
      ...first,
      started: false,
    });
    assertEquals((await start(sql, `'free', 'a'`)).started, true);
    assertEquals((await start(sql, `'free', 'a'`)).started, true);
  });

  const v1 = workflow("mail", { key: "id", input: type(), start: approval })
    .on(approval, { given: done, expired: done })
    .build();
  const both = (current: 1 | 2) => versioned("mail", { versions: { 1: v1, 2: v1 }, current });

  it(
    "has the version that the last worker calls current",
    { workflows: [both(1)] },
    async (world) => {
      const { hephaestus, sql, work, another } = world;
      const version = async (args: string) =>
        (await hephaestus.get(both(1), { id: (await start(sql, args)).id }))?.version;
      await work();

      assertEquals([await version(`'mail', 'a'`), await version(`'mail', 'b', version => 2`)], [
        1,
        2,
      ]);
      await another({ workflows: [both(2)] }).work().ready;
      assertEquals(await version(`'mail', 'c'`), 2);
      await another({ workflows: [v1] }).work().ready;
      assertEquals(await version(`'mail', 'd'`), 1);
    },
  );

  it("is refused at once when nobody could ever take it", options, async ({ sql, work }) => {
    await work();

    assertEquals(await refusal(sql, `'orders', 'a'`), [
      'Cannot start workflow "orders": no worker that has it has started on this database',
      "42704",
      "Start a worker with this workflow first, or correct the name.",
    ]);
    assertEquals(await refusal(sql, `'order', 'a', version => 2`), [
      'Cannot start workflow "order" version 2: no worker that has it has started on this database',
      "42704",
      "Known versions: 1.",
    ]);
    const nokey = 'A key is 1 to 200 printable characters without "::".';
    for (
      const [key, shown] of [["''", '""'], ["null", "null"], ["'a::b'", '"a::b"'], [
        "E'a\\n'",
        '"a\n"',
      ]]
    ) {
      assertEquals(await refusal(sql, `'order', ${key}`), [
        `Cannot start workflow "order": ${shown} is no business key`,
        "22023",
        nokey,
      ]);
    }
    for (
      const tags of [
        "'{\"\"}'",
        "array[null]",
        "array[['a'], ['b']]",
        "array_fill('a'::text, '{101}')",
      ]
    ) {
      const [sentence] = await refusal(sql, `'order', 'a', tags => ${tags}`);
      assertEquals(
        sentence,
        'Cannot start workflow "order": expected at most 100 tags of 1 to 200 printable characters',
      );
    }
    const [sentence] = await refusal(sql, `'order', 'a', metadata => '[]'`);
    assertEquals(sentence, 'Cannot start workflow "order": its metadata is no JSON object');
    assertEquals(
      await sql`select from hephaestus.workflow_instances`.then((rows) => rows.length),
      0,
    );
  });
}, ["inline"]);
