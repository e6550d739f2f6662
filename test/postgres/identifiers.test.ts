import { after, before, describe, it } from "node:test";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { channelOf, quoteIdentifier } from "../../src/postgres/sql/identifiers.ts";
import { type Database, database } from "../pg.ts";

const accepted = [
  "hephaestus",
  "Upper Case",
  '"; drop schema public cascade; --',
  "'; select 1; --",
  "with.dot",
  "back\\slash",
  "$1",
  "%I ?",
  "line\nbreak",
  "emoji 😀",
  "select",
  "a".repeat(63),
  "PG_x",
];

const refused: readonly (readonly [unknown, string])[] = [
  ["", 'Cannot use name "" in the database: it is empty'],
  ["a\0b", 'Cannot use name "a\\u0000b" in the database: it contains a NUL character'],
  ["a\ud800", 'Cannot use name "a\\ud800" in the database: it contains half of a surrogate pair'],
  ["a".repeat(64), "it is 64 bytes long, and the limit is 63"],
  ["😀".repeat(16), "it is 64 bytes long, and the limit is 63"],
  ["pg_temp", 'Cannot use name "pg_temp" in the database: it is reserved by PostgreSQL'],
  ["pg_x", "it is reserved by PostgreSQL"],
  ["information_schema", "it is reserved by PostgreSQL"],
  [undefined, "Cannot use name undefined in the database: it is not a string"],
  [7, "Cannot use name 7 in the database: it is not a string"],
];

describe("quoteIdentifier()", () => {
  let t: Database;
  before(async () => {
    t = await database();
  });
  after(() => t[Symbol.asyncDispose]());

  for (const name of accepted) {
    it(`keeps ${JSON.stringify(name)} as it is`, async () => {
      const quoted = quoteIdentifier(name);

      await t.sql.unsafe(`create schema ${quoted}`);
      await t.sql.unsafe(`create table ${quoted}.t as select 1`);

      const rows = await t.sql`select schemaname from pg_tables where schemaname = ${name}`;
      assertEquals(rows.map((row) => row.schemaname), [name]);
    });
  }

  for (const [name, sentence] of refused) {
    it(`refuses ${JSON.stringify(name)} with a sentence`, () => {
      assertThrows(() => quoteIdentifier(name as string), TypeError, sentence);
    });
  }
});

describe("channelOf()", () => {
  it("names a channel that the server can listen on, for every schema", async () => {
    await using t = await database();
    const own = await t.sql.reserve();

    for (const schema of accepted) {
      const channel = channelOf(schema);
      await own.unsafe(`listen "${channel.replaceAll('"', '""')}"`);
      await own`select pg_notify(${channel}, '')`;
    }

    const rows = await own`select pg_listening_channels() as name`;
    own.release();
    assertEquals(
      rows.map((row) => row.name).sort(),
      accepted.map((schema) => channelOf(schema)).sort(),
    );
  });

  it("tells long names apart that differ at the end only", () => {
    assertNotEquals(channelOf("a".repeat(62) + "b"), channelOf("a".repeat(62) + "c"));
    assertNotEquals(channelOf("a".repeat(63)), channelOf("a".repeat(52)));
  });
});
