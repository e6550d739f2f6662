import { spawnSync } from "node:child_process";
import { chown, readFile, stat } from "node:fs/promises";
import { describe, it } from "node:test";
import { join } from "node:path";
import { assertEquals, assertRejects } from "@std/assert";
import {
  describe as describeError,
  isConnectionLost,
} from "../../src/postgres/connection_error.ts";
import { connect, type ConnectOptions, type Db } from "../../src/postgres/db.ts";
import { ownServer } from "../pg.ts";
import { proxy } from "../proxy.ts";

const openssl = spawnSync("openssl", ["version"]).status === 0;

/** Gives a server a certificate that it has signed itself, and returns it. */
async function certify(url: string, directory: string): Promise<string> {
  const key = join(directory, "server.key");
  const certificate = join(directory, "server.crt");
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1`;
  spawnSync("openssl", [...words.split(/\s+/), "-keyout", key, "-out", certificate]);
  const { uid, gid } = await stat(directory);
  for (const file of [key, certificate]) await chown(file, uid, gid);
  const db = connect({ url, max: 1 });
  await db.query("alter system set ssl = on");
  await db.query("select pg_reload_conf()");
  await db.close();
  return await readFile(certificate, "utf8");
}

const encrypted = async (db: Db) =>
  (await db.query("select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"))[0]?.ssl;

async function withDb(options: ConnectOptions, work: (db: Db) => Promise<void>): Promise<void> {
  const db = connect({ max: 1, ...options });
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

describe("a connection over TLS", { skip: !openssl }, () => {
  it("is made, verified, given up on and made again", async () => {
    await using host = await ownServer();
    const ca = await certify(host.url, host.directory);
    await using road = await proxy(host.url);
    const url = road.url.replace("127.0.0.1", "localhost");
    // The server reads its configuration a moment after it was told to.
    for (let off = true; off;) {
      await withDb({ url, ssl: { ca } }, async (db) => {
        off = await encrypted(db).then(() => false, () => true);
      });
    }

    await withDb({ url, ssl: { ca } }, async (db) => assertEquals(await encrypted(db), "true"));
    await withDb(
      { url: `${url}?sslmode=require` },
      async (db) => assertEquals(await encrypted(db), "true"),
    );
    await withDb(
      { url: `${url}?sslmode=disable` },
      async (db) => assertEquals(await encrypted(db), "false"),
    );
    await withDb({ url, ssl: true }, async (db) => {
      const error = describeError(await assertRejects(() => db.query("select 1")));
      assertEquals(error.code, "DATABASE_REFUSED");
    });

    await withDb({ url, ssl: { ca }, deadline: 1000 }, async (db) => {
      await db.query("select 1");
      road.stall(true);
      assertEquals(isConnectionLost(await assertRejects(() => db.query("select 1"))), true);
      assertEquals(isConnectionLost(await assertRejects(() => db.query("select 1"))), true);
      road.stall(false);
      assertEquals(await encrypted(db), "true");
      road.cut();
      await db.query("select 1").catch(() => {});
      const dead = db.transaction(async (tx) => {
        await tx.query("select 1");
        road.cut();
        await new Promise(() => {});
      });
      assertEquals(isConnectionLost(await assertRejects(() => dead)), true);
      assertEquals(await encrypted(db), "true");
    });
  });
});
