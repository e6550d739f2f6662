import { assertEquals } from "@std/assert";
import { connect } from "../../src/postgres/driver/connect.ts";
import { assertMigrated, migrate } from "../../src/postgres/migrations/migrate.ts";
import { holding } from "./roads.ts";
import { completes, type Story } from "./story.ts";

const schema = "hephaestus";

async function up(url: string): Promise<void> {
  await migrate(connect({ url, max: 1 }), { schema });
}

async function down(url: string): Promise<void> {
  await migrate(connect({ url, max: 1 }), { schema, direction: "down", to: 0 });
}

/** What migrations do. */
export const storiesOfSchemas: readonly Story[] = [
  {
    name: "a migration",
    statements: [
      "begin",
      "lock the schema",
      "look for migrations",
      "create the schema",
      "create the list of migrations",
      "apply the migration",
      "note the migration",
      "commit",
      "read the migrations",
    ],
    empty: true,
    act: up,
    async finish(stage) {
      await up(stage.url);
      await assertMigrated(connect({ url: stage.url, max: 1 }), { schema });
      await stage.hephaestus.start(holding, "one", undefined);
      await stage.work();
      await completes(stage, holding, "one", ["hold"]);
    },
  },
  {
    name: "a migration that is taken back",
    statements: [
      "begin",
      "lock the schema",
      "revert the migration",
      "strike the migration off",
      "drop the list of migrations",
      "drop the schema",
      "commit",
    ],
    empty: true,
    before: ({ url }) => up(url),
    act: down,
    async finish({ url, sql }) {
      await down(url);
      const left = await sql`select from pg_namespace where nspname = ${schema}`;
      assertEquals(left.length, 0);
    },
  },
];
