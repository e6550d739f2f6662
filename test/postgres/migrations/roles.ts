import { readFileSync } from "node:fs";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { migrate } from "../../../src/postgres/migrations/migrate.ts";
import { type Database, database } from "../../pg.ts";

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```sql\n([^`]*)```/g)].map(([, sql]) => sql!);

type Role = "owner" | "app" | "web" | "shop";

export interface Roles extends Database {
  /** The URL of a role, as whom to connect. */
  as(role: Role): string;
  name(role: Role): string;
}

/** A database that its owner has migrated, with the roles and the grants that the page has. */
export async function withRoles(): Promise<Roles> {
  const t = await database();
  const base = new URL(t.url).pathname.slice(1);
  const name = (role: string) => `${role}_${base}`;
  const as = (role: string) => {
    const url = new URL(t.url);
    Object.assign(url, { username: name(role), password: "secret" });
    return url.href;
  };
  const roles = ["owner", "app", "web", "shop"];
  for (const role of roles) {
    await t.sql.unsafe(`create role ${name(role)} login password 'secret'`);
  }
  const written = blocks.map((sql) =>
    sql.replace(/\b(owner|app|web|shop)\b/g, name).replace("database orders", `database ${base}`)
  );
  await t.sql.unsafe(written[0]!);
  const owner = connect({ url: as("owner"), max: 1 });
  await migrate(owner, { schema: "hephaestus" });
  for (const sql of written.slice(1)) await owner.script(sql);
  await owner.close();
  return {
    ...t,
    as,
    name,
    [Symbol.asyncDispose]: async () => {
      for (const role of roles) await t.sql.unsafe(`drop owned by ${name(role)} cascade`);
      await t[Symbol.asyncDispose]();
    },
  };
}
