import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import { migrations } from "../../src/postgres/migrations/migrations.gen.ts";
import { database } from "../pg.ts";
import { hephaestus } from "./command.ts";

const files = migrations.map(({ version, name }) => `${String(version).padStart(4, "0")}_${name}`);

function lines(verb: string, names: readonly string[]): string {
  return names.map((name) => `${verb} ${name}\n`).join("");
}

describe("hephaestus migrate", () => {
  it("goes up and down and tells what it did", async () => {
    await using t = await database();

    const dry = await hephaestus(["migrate", "--dry-run"], t.url);
    assertEquals(dry, { code: 0, out: lines("would apply", files), error: "" });
    const before = await hephaestus(["migrate", "status"], t.url);
    assertEquals(before.out, files.map((name) => `${name}  pending\n`).join(""));

    const up = await hephaestus(["migrate"], t.url);
    assertEquals(up, { code: 0, out: lines("applied", files), error: "" });
    const again = await hephaestus(["migrate", "up"], t.url);
    assertEquals(again.out, 'nothing to do in schema "hephaestus"\n');
    const after = await hephaestus(["migrate", "status"], t.url);
    assertMatch(after.out, /^0001_init {2}applied {2}\d{4}-\d\d-\d\dT/);

    const down = await hephaestus(["migrate", "down"], t.url);
    assertEquals(down, { code: 0, out: lines("reverted", files.slice(-1)), error: "" });
  });

  it("works in the schema, on the database and to the version it is told", async () => {
    await using t = await database();
    const options = ["--url", t.url, "--schema", `it's "mine"`];

    assertEquals((await hephaestus(["migrate", ...options, "--to", "1"])).code, 0);
    const rows = await t.sql`select schemaname from pg_tables where tablename = 'jobs'`;
    assertEquals(rows.map((row) => row.schemaname), [`it's "mine"`]);

    assertEquals((await hephaestus(["migrate", "down", ...options, "--to", "0"])).code, 0);
    const left = await t.sql`select from pg_namespace where nspname = ${`it's "mine"`}`;
    assertEquals(left.length, 0);
  });

  const mistakes: readonly (readonly [readonly string[], string])[] = [
    [["migrat"], 'Cannot run "migrat": there is no such command'],
    [["migrate", "sideways"], 'Cannot run "migrate sideways": the actions are up, down and status'],
    [["migrate", "up", "now"], 'Cannot run "migrate up": unexpected argument "now"'],
    [["migrate", "--shema", "x"], "Cannot run hephaestus: unknown option '--shema'"],
    [["migrate", "--to"], "Cannot run hephaestus: option '--to <value>' argument missing"],
    [["migrate", "--to=-1"], 'Cannot run "migrate up": "-1" is not a version number'],
    [["migrate", "--to", "two"], 'Cannot run "migrate up": "two" is not a version number'],
    [
      ["migrate", "status", "--dry-run"],
      'Cannot run "migrate status": it does not take --to, --from, --dry-run or --sql',
    ],
    [["migrate", "--from", "0"], 'Cannot run "migrate up": --from needs --sql'],
    [
      ["migrate", "--sql", "--dry-run"],
      'Cannot run "migrate up": --sql cannot be combined with --json or --dry-run',
    ],
    [["migrate", "--repair"], 'Cannot run "migrate": it has no option --repair'],
    [["doctor", "--to", "1"], 'Cannot run "doctor": it has no option --to'],
  ];
  for (const [args, sentence] of mistakes) {
    it(`refuses "${args.join(" ")}" with a sentence and exit code 2`, async () => {
      const { code, out, error } = await hephaestus(args);

      assertEquals([code, out, error], [2, "", `${sentence}\nSee: hephaestus --help\n`]);
    });
  }

  it("refuses a version and a schema that cannot be, with exit code 1", async () => {
    await using t = await database();
    const sentences = [
      [
        ["--to", "999"],
        `Cannot migrate schema "hephaestus" to version 999: versions are 0 to ${migrations.length}\n`,
      ],
      [
        ["--schema", "pg_mine"],
        'Cannot use name "pg_mine" in the database: it is reserved by PostgreSQL\n',
      ],
    ] as const;

    for (const [args, sentence] of sentences) {
      const { code, error } = await hephaestus(["migrate", ...args], t.url);
      assertEquals([code, error], [1, sentence]);
    }
  });

  it("says what is missing without a database, and shows no password and no stack", async () => {
    await using t = await database();
    const wrong = new URL(t.url);
    wrong.password = "s3cret%21";
    const nobody = new URL(wrong);
    nobody.port = "1";
    const cases = [
      [
        undefined,
        /^Cannot connect to the database: no address was given.*--url.*DATABASE_URL.*\n$/,
      ],
      ["s3cret%21", /^Cannot connect to the database: its URL must look like .*\n$/],
      [nobody.href, /^Cannot reach the database at "127\.0\.0\.1:1": .*ECONNREFUSED.*\n$/],
      [wrong.href, /^Cannot connect to the database: password authentication failed .*\n$/],
    ] as const;

    for (const [url, expected] of cases) {
      const { code, out, error } = await hephaestus(["migrate"], url);
      assertEquals([code, out], [1, ""]);
      assertMatch(error, expected);
      assert(!error.includes("s3cret"));
    }
  });
});

describe("hephaestus, with --json", () => {
  it("prints exactly one object, whatever happens", async () => {
    await using t = await database();
    const object = async (args: readonly string[], url = t.url) => {
      const { code, out, error } = await hephaestus([...args, "--json"], url);
      assertEquals(out.split("\n").length, 2, out);
      return { code, error, object: JSON.parse(out) };
    };
    const named = migrations.map(({ version, name }) => ({ version, name }));
    const before = { schema: "hephaestus", dryRun: true, applied: named, reverted: [] };

    assertEquals((await object(["migrate", "--dry-run"])).object, before);
    assertEquals((await object(["migrate"])).object, { ...before, dryRun: false });
    const { migrations: known } = (await object(["migrate", "status"])).object;
    assertEquals(known.map(({ state }: { state: string }) => state), named.map(() => "applied"));
    assertEquals((await object(["doctor"])).object, { violations: [], counts: {}, unserved: [] });
    const down = (await object(["migrate", "down", "--to", "0"])).object;
    assertEquals(down.reverted, [...named].reverse());

    for (const args of [["doctor"], ["migrate", "--to", "99"], ["migrate", "sideways"], ["x"]]) {
      const { code, error, object: told } = await object(args);
      assert(code !== 0);
      assert(error.startsWith(`${told.error}\n`), error);
    }
  });
});

describe("hephaestus, with the address of a database", () => {
  it("takes what the library takes, and refuses what it refuses, with the same sentence", async () => {
    await using t = await database();
    const { host, hostname, port, username, password, pathname } = new URL(t.url);
    const twice = `postgres://${username}:${password}@${host},${host}${pathname}?schema=public`;
    assertEquals((await hephaestus(["migrate", "--url", twice])).code, 0);
    const variables = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    };
    assertEquals((await hephaestus(["doctor"], undefined, variables)).code, 0);

    for (
      const url of [
        "",
        `${t.url}?search_path=x`,
        "postgres://u:p/s3cret@h/db",
        t.url + "?sslmode=x",
      ]
    ) {
      const sentence = assertThrows(() =>
        new Hephaestus({ url, workflows: [] }), TypeError).message;
      for (const command of ["migrate", "doctor"]) {
        const { code, out, error } = await hephaestus([command], url);
        assertEquals([code, out, error], [1, "", `${sentence}\n`]);
      }
    }
  });
});

describe("hephaestus", () => {
  it("shows its help and its version", async () => {
    for (const args of [[], ["--help"], ["migrate", "-h"]]) {
      const { code, out } = await hephaestus(args);
      assertEquals(code, 0);
      assertStringIncludes(out, "hephaestus migrate [up|down|status]");
    }
    const { out } = await hephaestus(["--version"]);
    assertMatch(out, /^\d+\.\d+\.\d+\n$/);
  });
});
