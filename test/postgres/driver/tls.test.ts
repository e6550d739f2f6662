import { after, before, describe, it } from "node:test";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  describe as describeError,
  isConnectionLost,
} from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { ConnectOptions, Db } from "../../../src/postgres/driver/contract.ts";
import { proxy } from "../../proxy.ts";
import { type Certified, certified, openssl } from "./certificates.ts";

const encrypted = async (db: Db) =>
  (await db.query("select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"))[0]?.ssl;

async function withDb<T>(options: ConnectOptions, work: (db: Db) => Promise<T>): Promise<T> {
  const db = connect({ max: 1, ...options });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Whether the connection is encrypted, or the sentence when there is none. */
async function made(options: ConnectOptions): Promise<string> {
  return await withDb(options, async (db) => {
    try {
      return (await encrypted(db)) === "true" ? "encrypted" : "plain";
    } catch (error) {
      const { code, message } = describeError(error);
      assertEquals(code, "DATABASE_REFUSED", message);
      assertEquals(isConnectionLost(error), false);
      return message;
    }
  });
}

/** The URL with another host and these parameters. */
function at({ url }: Pick<Certified, "url">, host: string, query: string): string {
  const { port, username, password } = new URL(url);
  return `postgres://${username}:${password}@${host}:${port}/postgres?${query}`;
}

describe("a connection over TLS", { skip: !openssl }, () => {
  let host: Certified;
  before(async () => {
    host = await certified();
  });
  after(() => host[Symbol.asyncDispose]());

  it("is made, verified, given up on and made again", async () => {
    await host.show("name");
    const ca = await host.pem("ca");
    await using road = await proxy(host.url);
    const url = road.url.replace("127.0.0.1", "localhost");

    await withDb({ url, ssl: { ca } }, async (db) => assertEquals(await encrypted(db), "true"));
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

  it("checks what the mode says, against the host of the address and no other", async () => {
    const ca = encodeURIComponent(host.file("ca.crt"));
    const other = encodeURIComponent(host.file("other.crt"));
    const named = (name: string, mode: string, authority = ca) =>
      made({ url: at(host, name, `sslmode=${mode}&sslrootcert=${authority}`) });

    await host.show("ip");
    assertEquals(await named("127.0.0.1", "verify-full"), "encrypted");
    assertEquals(
      await made({ url: at(host, "127.0.0.1", ""), ssl: { ca: await host.pem("ca") } }),
      "encrypted",
    );
    assertStringIncludes(
      await named("localhost", "verify-full"),
      'its certificate is not for "localhost"',
    );

    await host.show("name");
    assertEquals(await named("localhost", "verify-full"), "encrypted");
    assertEquals(await named("127.0.0.1", "verify-ca"), "encrypted");
    assertEquals(await named("127.0.0.1", "require"), "encrypted");
    const wrong = await named("127.0.0.1", "verify-full");
    assertStringIncludes(wrong, `Cannot connect to the database at "127.0.0.1:`);
    assertStringIncludes(wrong, 'its certificate is not for "127.0.0.1"');
    const { port } = new URL(host.url);
    const elsewhere = `postgres://postgres:postgres@db.example:${port}/postgres?hostaddr=127.0.0.1`;
    assertEquals(
      await made({ url: `${elsewhere}&sslmode=verify-full&sslrootcert=${ca}` }),
      "encrypted",
    );

    const unknown = "signed by an unknown authority. Pass the certificate of that authority";
    for (const mode of ["require", "verify-ca", "verify-full"]) {
      assertStringIncludes(await named("localhost", mode, other), unknown);
    }
    for (const query of ["sslmode=verify-full", "sslrootcert=system", "sslmode=verify-ca"]) {
      assertStringIncludes(await made({ url: at(host, "localhost", query) }), unknown);
    }
    const bound = at(host, "localhost", "sslmode=require&channel_binding=require");
    assertStringIncludes(await made({ url: bound }), unknown);
    assertEquals(await made({ url: `${bound}&sslrootcert=${ca}` }), "encrypted");
    for (const query of ["", "sslmode=allow", "sslmode=prefer", "sslmode=require", "ssl=true"]) {
      const how = query === "sslmode=allow" ? "plain" : "encrypted";
      assertEquals(await made({ url: at(host, "localhost", query) }), how, query);
    }
    assertEquals(await made({ url: at(host, "localhost", "sslmode=disable") }), "plain");

    await host.show("expired");
    assertStringIncludes(
      await named("localhost", "verify-full"),
      "its certificate has expired. Renew it on the server",
    );
    assertEquals(await made({ url: at(host, "localhost", "sslmode=require") }), "encrypted");

    await host.show("strange");
    assertStringIncludes(await named("localhost", "verify-full"), unknown);
    assertEquals(await named("localhost", "verify-full", other), "encrypted");
  });

  it("is asked for in vain where the server has none, and the sentence says so", async () => {
    await host.show(undefined);
    for (const query of ["sslmode=require", "sslmode=verify-full", "channel_binding=require"]) {
      const said = await made({ url: at(host, "127.0.0.1", query) });
      assertStringIncludes(said, `it has no TLS, but ${query} needs it. Enable TLS on the server`);
    }
    assertStringIncludes(await made({ url: host.url, ssl: true }), "it has no TLS");
    for (const query of ["", "sslmode=prefer", "sslmode=allow", "sslmode=disable"]) {
      assertEquals(await made({ url: at(host, "127.0.0.1", query) }), "plain", query);
    }
  });

  it("is tried in the other way where an account may come in only so", async () => {
    await host.show("name");
    const url = (mode: string) => at(host, "127.0.0.1", `sslmode=${mode}`);

    await using _ = { [Symbol.asyncDispose]: () => host.admit("host all all all scram-sha-256") };
    await host.admit("hostssl all all all scram-sha-256");
    assertEquals(await made({ url: url("allow") }), "encrypted");
    assertEquals(await made({ url: url("prefer") }), "encrypted");
    assertStringIncludes(await made({ url: url("disable") }), "no pg_hba.conf entry for host");

    await host.admit("hostnossl all all all scram-sha-256");
    assertEquals(await made({ url: url("prefer") }), "plain");
    assertEquals(await made({ url: url("allow") }), "plain");
    assertStringIncludes(await made({ url: url("require") }), "no pg_hba.conf entry for host");

    const own = ["sslcert", "postgres.crt", "sslkey", "postgres.key"];
    const query = `${own[0]}=${encodeURIComponent(host.file(own[1]!))}&${own[2]}=${
      encodeURIComponent(host.file(own[3]!))
    }`;
    await host.admit("hostssl all all all cert", "hostnossl all all all scram-sha-256");
    assertEquals(await made({ url: `${url("require")}&${query}` }), "encrypted");
    assertStringIncludes(
      await made({ url: url("require") }),
      "requires a valid client certificate",
    );
  });

  it("begins without a question where that is asked for", async () => {
    await host.show("name");
    const [row] = await withDb(
      { url: host.url },
      (db) => db.query("select current_setting('server_version_num') as version"),
    );
    // Servers speak it from 17 on.
    if (Number(row?.version) < 170_000) return;
    const ca = encodeURIComponent(host.file("ca.crt"));
    const query = `sslmode=verify-full&sslrootcert=${ca}&sslnegotiation=direct`;
    assertEquals(await made({ url: at(host, "localhost", query) }), "encrypted");
  });

  it("is refused at once when its files cannot be used, and no key is shown", () => {
    const url = "postgres://u:secret@h/db?sslmode=require";
    const missing = () => connect({ url: `${url}&sslrootcert=/nowhere/ca.crt` });
    const { message } = assertThrows(missing, TypeError, "its certificates cannot be used");
    assertStringIncludes(message, "/nowhere/ca.crt");
    assert(!message.includes("secret"));
  });
});
