import type { Sql } from "postgres";
import { rules } from "../../../src/postgres/doctor/rules.ts";
import { tablesOf } from "../../../src/postgres/sql/tables.ts";

/** The names of the doctor's rules that the database violates now. */
export async function violated(sql: Sql): Promise<readonly string[]> {
  const found: string[] = [];
  for (const rule of rules) {
    const [broken] = await sql.unsafe(rule.sql(tablesOf("hephaestus")));
    if (broken !== undefined) found.push(rule.name);
  }
  return found;
}
