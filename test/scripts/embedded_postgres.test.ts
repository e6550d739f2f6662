import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import process from "node:process";
import postgres from "postgres";
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { startServer, startThrowaway } from "../../scripts/embedded_postgres.ts";

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    return [...await sql.unsafe(text)];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** A directory for a server, removed with whatever runs there. */
function emptyPlace(): { readonly directory: string } & AsyncDisposable {
  const parent = mkdtempSync(join(tmpdir(), "hephaestus-server-"));
  const directory = join(parent, "data");
  const dispose = async (): Promise<void> => {
    await (await startServer({ directory, durable: false })).remove();
    rmSync(parent, { recursive: true, force: true });
  };
  return { directory, [Symbol.asyncDispose]: dispose };
}

describe("startServer()", () => {
  it("adopts the server that a killed process left, and keeps its data over a stop", async () => {
    await using place = emptyPlace();
    const { directory } = place;

    const first = await startServer({ directory, durable: false });
    await query(first.url, "create table kept as select 7 as seven");
    const second = await startServer({ directory, durable: false });
    assertEquals([first.adopted, second.adopted, second.url], [false, true, first.url]);

    await second.stop("immediate");
    await assertRejects(() => query(first.url, "select 1"));
    const third = await startServer({ directory, durable: false });
    assertEquals(third.adopted, false);
    assertEquals(await query(third.url, "select seven from kept"), [{ seven: 7 }]);
  });

  it("is not misled by a process id that now belongs to another program", async () => {
    await using place = emptyPlace();
    const { directory } = place;
    const before = await startServer({ directory, durable: false });
    await before.stop();
    const lines = [process.pid, before.directory, 0, before.port, "", "127.0.0.1", "", "ready", ""];
    writeFileSync(join(before.directory, "postmaster.pid"), lines.join("\n"), { mode: 0o666 });

    const after = await startServer({ directory, durable: false });

    assertEquals(after.adopted, false);
    assertEquals(await query(after.url, "select 1 as one"), [{ one: 1 }]);
  });
});

describe("startThrowaway()", () => {
  it("gives each caller a server that it can stop and start", async () => {
    await using one = await startThrowaway();
    await using two = await startThrowaway();
    assertNotEquals(one.directory, two.directory);

    await one.stop("immediate");
    await assertRejects(() => query(one.url, "select 1"));
    assertEquals(await query(two.url, "select 1 as one"), [{ one: 1 }]);
    await one.start();

    assertEquals(await query(one.url, "select 1 as one"), [{ one: 1 }]);
  });
});
