import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Address,
  addressOf,
  type AddressOptions,
} from "../../../src/postgres/driver/address/address.ts";
import type { Environment } from "../../../src/postgres/driver/address/parameters.ts";

/** What an address says, without what it leaves as it was. */
function read(options: AddressOptions | string, environment: Environment = {}) {
  const given = typeof options === "string" ? { url: options } : options;
  const address = addressOf(given, environment);
  const hosts = address.hosts.map(({ name, port, ip }) => `${ip ?? name} ${port}`);
  return { ...address, hosts };
}

function refusal(options: AddressOptions | string, environment: Environment = {}): string {
  const given = typeof options === "string" ? { url: options } : options;
  return assertThrows(() => addressOf(given, environment), TypeError).message;
}

const urls: readonly (readonly [string, string, Partial<ReturnType<typeof read>>])[] = [
  [
    "IPv6 in brackets",
    "postgres://u:p@[::1]:5433/db",
    { hosts: ["::1 5433"], user: "u", password: "p", database: "db" },
  ],
  ["IPv6 without a port", "postgres://u@[2001:db8::7]/db", { hosts: ["2001:db8::7 5432"] }],
  ["IPv6 in a parameter", "postgres://u@/db?host=::1&port=6000", { hosts: ["::1 6000"] }],
  [
    "several hosts, one without a port",
    "postgresql://u@one:1,two,[::1]:3/db",
    { hosts: ["one 1", "two 5432", "::1 3"] },
  ],
  [
    "several hosts in parameters",
    "postgres://u@/db?host=one,two&port=1,2",
    { hosts: ["one 1", "two 2"] },
  ],
  ["one port for several hosts", "postgres://u@/db?host=one,two&port=7", {
    hosts: ["one 7", "two 7"],
  }],
  ["a folder of sockets in the host", "postgres://u@%2Fvar%2Frun%2Fpg/db", {
    hosts: ["/var/run/pg 5432"],
  }],
  ["a folder of sockets in a parameter", "postgres://u:p@:5433/db?host=/var/run/postgresql", {
    hosts: ["/var/run/postgresql 5433"],
  }],
  [
    "a folder of sockets with colons, as Cloud SQL has it",
    "postgresql://u:p@localhost/db?host=/cloudsql/project:region:instance",
    { hosts: ["/cloudsql/project:region:instance 5432"] },
  ],
  [
    "percent-encoding everywhere",
    "postgres://us%40er:p%3A%2F%3F%23%25%2C@h%6Fst:54%332/d%2Fb?application_name=a%26b%3Dc+d",
    {
      user: "us@er",
      password: "p:/?#%,",
      hosts: ["host 5432"],
      database: "d/b",
      applicationName: "a&b=c+d",
    },
  ],
  [
    "names and passwords of other alphabets",
    "postgres://m%C3%BCller:p%C3%A4ss@h/d%F0%9F%98%80",
    { user: "müller", password: "päss", database: "d😀" },
  ],
  ["a colon, an @ and a # in the password", "postgres://u:a:b@c#d@h/db", {
    password: "a:b@c#d",
    hosts: ["h 5432"],
  }],
  [
    "Azure's user with a server in it",
    "postgres://me%40server:p@h.postgres.database.azure.com/db",
    {
      user: "me@server",
    },
  ],
  ["an empty host", "postgres:///db", { hosts: ["localhost 5432"], database: "db" }],
  ["an empty password", "postgres://u:@h/db", { password: undefined }],
  ["an empty database, which is the user's", "postgres://u@h/", { database: "u" }],
  ["an empty port", "postgres://u@h:/db?", { hosts: ["h 5432"] }],
  ["everything in parameters", "postgresql://?host=h&port=1&user=u&password=p&dbname=d", {
    hosts: ["h 1"],
    user: "u",
    password: "p",
    database: "d",
  }],
  ["white space around it", " postgres://u@h/db\n", { database: "db" }],
  ["the address of a host beside its name", "postgres://u@db.example/db?hostaddr=10.0.0.7", {
    hosts: ["10.0.0.7 5432"],
  }],
  ["switches of the server", "postgres://u@h/db?options=-c%20search_path%3Dapp", {
    options: "-c search_path=app",
  }],
  ["a limit for connecting", "postgres://u@h/db?connect_timeout=3", { patience: 3000 }],
  ["no limit for connecting, which is the default one", "postgres://u@h/db?connect_timeout=0", {
    patience: 10_000,
  }],
  ["no questions on a silent socket", "postgres://u@h/db?keepalives=0&keepalives_idle=5", {
    keepAlive: 0,
  }],
  ["questions on a silent socket", "postgres://u@h/db?keepalives=1&keepalives_idle=5", {
    keepAlive: 5000,
  }],
  ["a pooler", "postgres://u@h/db?pgbouncer=true", { pooled: true }],
];

const shown: readonly (readonly [string, string])[] = [
  ["Neon", "?sslmode=require&channel_binding=require"],
  ["Neon without SNI", "?sslmode=require&options=endpoint%3Dep-cool-1234"],
  ["Supabase on Vercel", "?sslmode=require&supa=base-pooler.x"],
  ["Supabase, pooled", "?pgbouncer=true&connection_limit=1"],
  [
    "Prisma",
    "?schema=public&connection_limit=5&pool_timeout=10&socket_timeout=3&statement_cache_size=0",
  ],
  ["Prisma Postgres", "?sslmode=require&pool=true"],
  ["node-postgres", "?uselibpqcompat=true&sslmode=require"],
  ["RDS", "?sslmode=verify-full&sslrootcert=system"],
  ["Heroku, Railway, Render", ""],
  ["Render from outside", "?ssl=true"],
  ["Fly", "?sslmode=disable"],
  ["Scalingo", "?sslmode=prefer"],
  ["Azure, Aiven, DigitalOcean, Timescale", "?sslmode=require"],
  ["CockroachDB", "?sslmode=verify-full&options=--cluster%3Dcool-1234"],
  ["a failover pair", "?target_session_attrs=any&load_balance_hosts=disable"],
  [
    "an operator",
    "?keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=1000",
  ],
  [
    "psql",
    "?application_name=x&fallback_application_name=y&client_encoding=UTF8&gssencmode=disable&connect_timeout=10",
  ],
];

const modes: readonly (readonly [AddressOptions, string])[] = [
  [{ url: "postgres://u@h/db" }, "prefer"],
  ...["disable", "allow", "prefer", "require", "verify-ca", "verify-full"].map((mode) =>
    [{ url: `postgres://u@h/db?sslmode=${mode}` }, mode] as const
  ),
  [{ url: "postgres://u@h/db?sslmode=no-verify" }, "require"],
  [{ url: "postgres://u@h/db?ssl=true" }, "require"],
  [{ url: "postgres://u@h/db?ssl=0" }, "disable"],
  [{ url: "postgres://u@h/db?sslrootcert=system" }, "verify-full"],
  [{ url: "postgres://u@h/db?sslmode=require&channel_binding=require" }, "verify-full"],
  [{ url: "postgres://u@h/db?sslmode=verify-ca&channel_binding=require" }, "verify-ca"],
  [{ url: "postgres://u@h/db?sslmode=disable", ssl: true }, "verify-full"],
  [{ url: "postgres://u@h/db?sslmode=require", ssl: false }, "disable"],
  [{ url: "postgres://u@h/db", ssl: { rejectUnauthorized: false } }, "verify-full"],
  [{ url: "postgres://u@h/db", ssl: "require" }, "require"],
];

const refused: readonly (readonly [AddressOptions | string, string])[] = [
  ["mysql://u:s3cret@h/db", "its URL must look like postgres://user:password@host:port/database"],
  ["s3cret", "its URL must look like postgres://user:password@host:port/database"],
  ["postgres://u:s3cret@h:x/db", "a port is not a number from 1 to 65,535"],
  ["postgres://u:s3cret@h:65536/db", "a port is not a number from 1 to 65,535"],
  ["postgres://u:s3cret/x@h/db", 'its URL has an "@" in the wrong place'],
  ["postgres://u:12/s3cret@h/db", 'its URL has an "@" in the wrong place'],
  ["postgres://u:12?s3cret=1@h/db", 'its URL has an "@" in the wrong place'],
  ["postgres://u:p@a?s3cret@h/db", 'its URL has an "@" in the wrong place'],
  ["postgres://u:s3cret%@h/db", "Write % as %25"],
  ["postgres://u:s3cret%zz@h/db", "Write % as %25"],
  ["postgres://u:s3cret%00@h/db", "its URL contains a NUL character"],
  ["postgres://u:s3cret@::1/db", "An IPv6 address needs brackets"],
  ["postgres://u:s3cret@[::1/db", "An IPv6 address needs brackets"],
  ["postgres://u:s3cret@[]/db", "An IPv6 address needs brackets"],
  ["postgres://u:s3cret@a b/db", "a host contains invalid characters"],
  ["postgres://u:s3cret@h/db?sslmode", "a parameter in its URL has no value"],
  ["postgres://u@one,two/db?port=1,2,3", "there are 3 ports for 2 hosts"],
  ["postgres://u@one,two/db?hostaddr=10.0.0.1", "hostaddr has 1 addresses for 2 hosts"],
  ["postgres://u@h/db?search_path=app", 'the parameter "search_path" in its URL is unknown'],
  ["postgres://u@h/db?sslMode=require", 'the parameter "sslMode" in its URL is unknown'],
  ["postgres://u@h/db?passfile=/x", 'the parameter "passfile" in its URL is unknown'],
  ["postgres://u@h/db?sslcrl=/x", 'the parameter "sslcrl" in its URL is unknown'],
  ["postgres://u@h/db?require_auth=none", 'the parameter "require_auth" in its URL is unknown'],
  ["postgres://u@h/db?gssencmode=require", 'the parameter "gssencmode" in its URL is unknown'],
  ["postgres://u@h/db?sslmode=on", 'sslmode cannot be "on". Use one of disable, allow, prefer'],
  ["postgres://u@h/db?target_session_attrs=standby", 'target_session_attrs cannot be "standby"'],
  ["postgres://u@h/db?connect_timeout=soon", "connect_timeout is not a whole number"],
  ["postgres://u@h/db?sslmode=require&sslrootcert=system", "needs sslmode=verify-full"],
  ["postgres://u@h/db?sslnegotiation=direct", "needs sslmode=require or stricter"],
  [
    "postgres://u@h/db?sslmode=disable&channel_binding=require",
    "channel_binding=require needs TLS",
  ],
  ["postgres://u@/db?host=/run&channel_binding=require", "channel_binding=require needs TLS"],
  ["postgres://u@h/db?sslcert=/x", "sslcert and sslkey must be set together"],
  [{ url: "postgres://u@h/db", port: 0 }, "a port is not a number from 1 to 65,535"],
  [{ host: "h", port: 1.5 }, "a port is not a number from 1 to 65,535"],
  [{ url: new URL("postgres://u:s3cret@h/db") as never }, "the option url is not a string"],
  [{ host: 5 as never }, "the option host is not a string"],
  [
    { host: "h", ssl: "on" as never },
    "the option ssl must be true, false, an sslmode, or options of tls.connect",
  ],
];

describe("the address of a database", () => {
  for (const [what, url, expected] of urls) {
    it(`may have ${what}`, () => {
      const found = read(url);
      const named = Object.keys(expected) as (keyof Address)[];
      assertEquals(Object.fromEntries(named.map((name) => [name, found[name]])), expected);
    });
  }

  for (const [who, query] of shown) {
    it(`is understood as ${who} shows it`, () => {
      assertEquals(read(`postgres://u:p@h/db${query}`).hosts, ["h 5432"]);
    });
  }

  for (const [options, mode] of modes) {
    it(`asks for TLS as libpq does: ${JSON.stringify(options)} is ${mode}`, () => {
      assertEquals(addressOf(options, {}).ssl.mode, mode);
    });
  }

  for (const [options, sentence] of refused) {
    it(`is refused with "${sentence}"`, () => {
      const said = refusal(options);
      assert(said.startsWith(`Cannot connect to the database: `) && said.includes(sentence), said);
      assert(!said.includes("s3cret"), said);
    });
  }

  it("is missing, and the sentence names the option and the variable", () => {
    for (const options of [{}, { url: undefined }, { url: "" }, { database: "x", user: "u" }]) {
      const said = refusal(options, { PGDATABASE: "x", PGUSER: "u" });
      for (const name of ['"url"', "DATABASE_URL", '"host"', "PGHOST", '"backend"']) {
        assert(said.includes(name), said);
      }
    }
  });

  it("comes from the environment where neither option nor URL says it", () => {
    const variables = {
      PGHOST: "env",
      PGPORT: "7",
      PGUSER: "eu",
      PGPASSWORD: "ep",
      PGDATABASE: "ed",
      PGSSLMODE: "require",
      PGAPPNAME: "ea",
      PGCONNECT_TIMEOUT: "4",
      PGTARGETSESSIONATTRS: "any",
    };
    const pick = ({ hosts, user, password, database }: ReturnType<typeof read>) => [
      ...hosts,
      user,
      password,
      database,
    ];
    const found = (options: AddressOptions | string) => read(options, variables);
    assertEquals(pick(found({})), ["env 7", "eu", "ep", "ed"]);
    assertEquals([found({}).ssl.mode, found({}).applicationName], ["require", "ea"]);
    assertEquals(pick(found("postgres://u@h/d")), ["h 7", "u", "ep", "d"]);
    const options = { url: "postgres://u:p@h:1/d", host: "o", user: "ou", database: "od" };
    assertEquals(pick(found({ ...options, password: "op" })), ["o 1", "ou", "op", "od"]);
    assertEquals(read({}, { PGHOST: "one:1,two:2" }).hosts, ["one 1", "two 2"]);
    assert(refusal({}, { PGHOST: "" }).includes("no address was given"));
  });
});
