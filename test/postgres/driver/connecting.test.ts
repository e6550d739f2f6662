import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe as explain, isConnectionLost } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { ConnectOptions } from "../../../src/postgres/driver/contract.ts";
import { freePort } from "../../../scripts/embedded_postgres.ts";
import { type Database, database, ownServer } from "../../pg.ts";

async function asked(options: ConnectOptions, text = "select current_database() as answer") {
  const db = connect({ max: 1, ...options });
  try {
    const [row] = await db.query(text);
    return row?.answer;
  } finally {
    await db.close();
  }
}

async function refusal(options: ConnectOptions) {
  const error = await assertRejects(() => asked(options));
  return { ...explain(error), message: explain(error).message, lost: isConnectionLost(error) };
}

const nameOf = ({ url }: Database) => new URL(url).pathname.slice(1);

/** The same URL with other parts. */
function changed({ url }: Pick<Database, "url">, change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

const setting = (name: string) => `select current_setting('${name}') as answer`;

describe("a connection to an address", () => {
  it("takes the parameters that providers put into URLs", async () => {
    await using t = await database();
    const shown = [
      "schema=public&connection_limit=5&pool_timeout=0",
      "pgbouncer=true",
      "supa=base-pooler.x",
      "uselibpqcompat=true",
      "target_session_attrs=any",
      "keepalives=1&keepalives_idle=30",
      "sslmode=prefer&gssencmode=prefer&client_encoding=UTF8",
      "sslmode=disable&sslrootcert=/is/not/read",
      "channel_binding=prefer",
      "connect_timeout=10",
    ];
    for (const query of shown) assertEquals(await asked({ url: `${t.url}?${query}` }), nameOf(t));
  });

  it("hands on what is for the server", async () => {
    await using t = await database();
    const url = `${t.url}?application_name=orders%20%26%20co&options=-c%20search_path%3Dapp,public`;
    assertEquals(await asked({ url }, setting("application_name")), "orders & co");
    assertEquals(await asked({ url }, setting("search_path")), "app,public");
    assertEquals(await asked({ url: t.url }, setting("application_name")), "hephaestus");
  });

  it("begins no session with prepared statements behind pgbouncer=true, unless it is told to", async () => {
    await using t = await database();
    const count = "select count(*) as answer from pg_prepared_statements";
    assertEquals(await asked({ url: `${t.url}?pgbouncer=true` }, count), "0");
    assertEquals(await asked({ url: `${t.url}?pgbouncer=true`, prepare: true }, count), "1");
  });

  it("goes to the first of several hosts that is there, and says soon when none is", async () => {
    await using t = await database();
    const { host, username, password } = new URL(t.url);
    const [one, two] = [await freePort(), await freePort()];
    const at = (hosts: string) => ({
      url: `postgres://${username}:${password}@${hosts}/${nameOf(t)}`,
    });
    assertEquals(await asked(at(`127.0.0.1:${one},${host}`)), nameOf(t));
    const none = await refusal(at(`127.0.0.1:${one},127.0.0.1:${two}`));
    assertEquals(
      none.message,
      `Cannot reach the database at "127.0.0.1:${two}": the connection was refused (ECONNREFUSED)`,
    );
  });

  it("is made over IPv6, over a socket in a folder, and to another address than the host's", async () => {
    await using server = await ownServer({
      settings: { listen_addresses: "127.0.0.1,::1", unix_socket_directories: "/tmp" },
    });
    const { port, username, password } = new URL(server.url);
    const account = `postgres://${username}:${password}@`;
    for (
      const url of [
        `${account}[::1]:${port}/postgres`,
        `${account}127.0.0.1,[::1]:${port}/postgres`.replace("127.0.0.1", `127.0.0.1:${port}`),
        `${account}%2Ftmp:${port}/postgres`,
        `${account}:${port}/postgres?host=/tmp&sslmode=require`,
        `${account}nowhere.invalid:${port}/postgres?hostaddr=127.0.0.1`,
      ]
    ) assertEquals(await asked({ url }), "postgres", url.replace(password, "***"));
    const options = { user: username, password: decodeURIComponent(password), port: Number(port) };
    assertEquals(await asked({ ...options, host: "/tmp", database: "postgres" }), "postgres");
    assertEquals(await asked({ ...options, host: "::1", database: "postgres" }), "postgres");
    const nothing = await refusal({ url: `${account}%2Fnowhere:${port}/postgres` });
    assertEquals(nothing.code, "DATABASE_UNREACHABLE");
    assertStringIncludes(nothing.message, `at "/nowhere/.s.PGSQL.${port}"`);
  });

  it("finds names that have to be percent-encoded", async () => {
    await using t = await database();
    const name = `d/${nameOf(t)}@%? ü`;
    const [user, password] = [`u@${nameOf(t)}:/?#`, "p@ss:w/o?rd#%ü "];
    await t.sql.unsafe(`create role "${user}" login superuser password '${password}'`);
    await t.sql.unsafe(`create database "${name}"`);
    const { host } = new URL(t.url);
    const [u, p, d] = [user, password, name].map(encodeURIComponent);
    assertEquals(await asked({ url: `postgres://${u}:${p}@${host}/${d}` }), name);
    await t.sql.unsafe(`drop database "${name}"`);
    await t.sql.unsafe(`drop role "${user}"`);
  });

  it("takes PGHOST and its neighbours where neither option nor URL says it", async () => {
    await using t = await database();
    const { hostname, port, username, password } = new URL(t.url);
    const variables = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: nameOf(t),
    };
    try {
      Object.assign(process.env, variables);
      assertEquals(await asked({}), nameOf(t));
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
  });
});

describe("a server that lets nobody in", () => {
  it("is quoted, whatever its reason is", async () => {
    await using t = await database();
    const name = nameOf(t);
    await t.sql.unsafe(`create role "no_${name}" nologin password 'secret'`);
    await t.sql.unsafe(`create role "in_${name}" login password 'secret'`);
    await t.sql.unsafe(`revoke connect on database ${name} from public`);
    const as = (user: string) =>
      changed(t, (url) => Object.assign(url, { username: user, password: "secret" }));
    const cases: readonly (readonly [string, string])[] = [
      [changed(t, (url) => url.password = "secret"), "password authentication failed for user"],
      [changed(t, (url) => url.pathname = "/nowhere"), 'database "nowhere" does not exist'],
      [as(`no_${name}`), `role "no_${name}" is not permitted to log in`],
      [as(`in_${name}`), `permission denied for database "${name}"`],
      [`${t.url}?options=-c%20nonsense%3D1`, 'unrecognized configuration parameter "nonsense"'],
      [`${t.url}?options=-c%20work_mem%3Dx`, 'invalid value for parameter "work_mem"'],
    ];
    for (const [url, sentence] of cases) {
      const { code, message, lost } = await refusal({ url });
      assertEquals([code, lost], ["DATABASE_REFUSED", false], message);
      assert(message.startsWith("Cannot connect to the database: "), message);
      assertStringIncludes(message, sentence);
      assert(!message.includes("secret"), message);
    }
    const elsewhere = { url: changed(t, (url) => url.pathname = "/postgres") };
    await asked(elsewhere, `alter database ${name} allow_connections false`);
    const closed = await refusal({ url: t.url });
    assertEquals(closed.code, "DATABASE_REFUSED");
    assertStringIncludes(closed.message, "is not currently accepting connections");
    await t.sql.unsafe(`drop role "no_${name}"`);
    await t.sql.unsafe(`drop role "in_${name}"`);
  });

  it("is quoted when it has no room, and is waited for", async () => {
    await using t = await database();
    await t.sql.unsafe(`create role "one_${nameOf(t)}" login password 'p' connection limit 0`);
    const url = changed(t, (url) => {
      Object.assign(url, { username: `one_${nameOf(t)}`, password: "p" });
    });
    const { code, message, lost } = await refusal({ url });
    assertEquals([code, lost], ["DATABASE_UNREACHABLE", true]);
    assertEquals(
      message,
      `Cannot reach the database: too many connections for role "one_${nameOf(t)}" (53300)`,
    );
    await t.sql.unsafe(`drop role "one_${nameOf(t)}"`);
  });
});
