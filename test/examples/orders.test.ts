import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseCsv } from "../../examples/orders/csv.ts";
import { type Database, database } from "../pg.ts";
import { program, root } from "../programs.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function orders(t: Database | undefined, ...args: readonly string[]): Promise<Ended> {
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [...program("examples/orders/main.ts"), ...args], {
    cwd: root,
    env: { ...env, NO_COLOR: "1", ...(t === undefined ? {} : { DATABASE_URL: t.url }) },
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => void (out += chunk));
  child.stderr.on("data", (chunk) => void (error += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, error }));
  });
}

/** Six orders: two are shipped, one more is large and approved, and the rest is rejected for three reasons. */
async function smallSet(): Promise<{ readonly directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "hephaestus-orders-"));
  const files = {
    "customers.csv": 'customerID,companyName\nANVIL,"Anvil, Hammer & Sons"\n',
    "products.csv": "productID,productName,unitsInStock\n1,Tongs,100\n2,Gate,1\n",
    "orders.csv": "orderID,customerID\n1,ANVIL\n2,ANVIL\n3,ANVIL\n4,NULL\n5,ANVIL\n6,ANVIL\n",
    "order-details.csv": "orderID,productID,unitPrice,quantity,discount\n" +
      "1,1,10.00,3,0\n2,1,10.00,2,0.5\n3,1,400.00,10,0\n4,1,1.00,1,0\n5,2,9.00,20,0\n6,1,9.00,0,0\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const byOutcome = { shipped: 3, invalid: 2, soldOut: 1 };

describe("the orders example", () => {
  it("takes every order to its end and leaves nothing behind", async () => {
    await using t = await database();
    await using set = await smallSet();

    const { code, out, error } = await orders(t, "--data", set.directory, "--json");

    assertEquals(code, 0, error);
    const { retries, seconds, ...counted } = JSON.parse(out);
    assertEquals(counted, { orders: 6, byOutcome, kills: 0, ledgerBalanced: true });
    assert(Number.isInteger(retries) && seconds > 0);
    assertStringIncludes(error, "balanced: nothing is negative");
    assertMatch(error, /flowchart TD\n/);
    const left = await t.sql`select nspname from pg_namespace where nspname like 'shop%'`;
    assertEquals(left.length, 0);
  });

  it("adds up when its workers are killed", async () => {
    await using t = await database();
    await using set = await smallSet();

    const { code, out, error } = await orders(t, "--data", set.directory, "--json", "--kill");

    assertEquals(code, 0, error);
    const { kills, ledgerBalanced, ...rest } = JSON.parse(out);
    assert(kills > 0);
    assertEquals({ ledgerBalanced, byOutcome: rest.byOutcome }, {
      ledgerBalanced: true,
      byOutcome,
    });
  });

  it("starts no order again that an earlier run has taken in, and tells what does not add up", async () => {
    await using t = await database();
    await using set = await smallSet();
    await orders(t, "--data", set.directory, "--keep");

    const again = await orders(t, "--data", set.directory, "--keep");
    assertEquals(again.code, 0, again.error);
    const [count] = await t.sql`select count(*)::int from shop_workflows.workflow_instances`;
    assertEquals(count!["count"], 6);

    const other = await orders(t, "--data", join(root, "examples/orders/data"));
    assertEquals(other.code, 2);
    assertMatch(other.error, /^Cannot continue with .* start over with --fresh\n$/);

    await t.sql`update shop.products set available = available - 1 where id = '1'`;
    await t.sql`insert into shop.invoices (order_id, cents) select order_id, cents
      from shop.invoices where order_id = '1'`;

    const { code, out, error } = await orders(t, "--data", set.directory, "--json");

    assertEquals(code, 1);
    assertStringIncludes(error, "Tongs: 100 are not 84 left and 15 shipped");
    assertStringIncludes(error, "order 1 was shipped 1 times over, invoiced 2 times");
    assert(!JSON.parse(out).ledgerBalanced);
  });

  it("leaves a schema alone that it did not create", async () => {
    await using t = await database();
    await using set = await smallSet();
    await t.sql`create schema shop`;

    const { code, error } = await orders(t, "--data", set.directory, "--fresh");

    assertEquals(code, 1);
    assertStringIncludes(error, `its schema "shop" was not created by this example`);
    assertEquals((await t.sql`select from pg_namespace where nspname = 'shop'`).length, 1);
  });

  const mistakes: readonly (readonly [readonly string[], string])[] = [
    [["--workers", "0"], 'Cannot start "0" workers: pass a whole number from 1 to 32'],
    [["--data", "/nowhere"], 'Cannot read "customers.csv" in "/nowhere": it is not there'],
    [["--sideways"], "Cannot run the orders: Unknown option '--sideways'"],
  ];
  for (const [args, sentence] of mistakes) {
    it(`refuses ${args.join(" ")} with a sentence`, async () => {
      const { code, out, error } = await orders(undefined, ...args);

      assertEquals({ code, out }, { code: 2, out: "" });
      assertEquals(error.trimEnd(), sentence);
    });
  }
});

describe("parseCsv", () => {
  it("reads quotes, separators in them, both line ends and absent values", () => {
    const text = '\uFEFFid,name,note\r\n1,"a ""b"", c",NULL\r\n2,"two\nlines",\n\n';

    assertEquals(parseCsv(text), [
      { id: "1", name: 'a "b", c', note: undefined },
      { id: "2", name: "two\nlines", note: undefined },
    ]);
  });

  it("refuses a quote that does not end", () => {
    let message = "";
    try {
      parseCsv('id,name\n1,"a');
    } catch (error) {
      message = (error as Error).message;
    }
    assertEquals(message, "line 2 is no CSV");
  });
});
