import { describe, it } from "node:test";
import { Hephaestus } from "../../mod.ts";
import { silent } from "../everywhere.ts";
import { type Database, migrated } from "../pg.ts";
import { order, settle, shop } from "./shop.ts";

/** A database whose sessions begin with these settings. */
async function withDefaults(settings: Readonly<Record<string, string>>): Promise<Database> {
  const database = await migrated();
  await database.sql`create table effects (key text, step text)`;
  for (const [name, value] of Object.entries(settings)) {
    const [row] = await database.sql`select current_database() as name`;
    await database.sql.unsafe(`alter database ${row?.name} set ${name} = '${value}'`);
  }
  return database;
}

const defaults: readonly Readonly<Record<string, string>>[] = [
  { default_transaction_isolation: "repeatable read" },
  { default_transaction_isolation: "serializable", default_transaction_deferrable: "on" },
  { TimeZone: "Pacific/Kiritimati", DateStyle: "German", IntervalStyle: "sql_standard" },
  { search_path: "nowhere", standard_conforming_strings: "off", extra_float_digits: "-15" },
];

for (const settings of defaults) {
  const said = Object.entries(settings).map(([name, value]) => `${name} = ${value}`).join(", ");
  describe(`a database with ${said}`, () => {
    for (const inline of [true, false]) {
      it(`carries whole stories of two processes to their end (${inline ? "inline" : "through jobs"})`, async () => {
        await using database = await withDefaults(settings);
        const options = { url: database.url, workflows: [shop], inline, poolSize: 9 };
        await using one = new Hephaestus({ ...options, logger: silent });
        await using two = new Hephaestus({ ...options, logger: silent });
        for (const each of [one, two]) {
          await each.work({ poll: "50ms", queues: { default: 10 } }).ready;
        }

        const handles = await order(one, 30);

        await settle(two, database.sql, handles);
      });
    }
  });
}
