import type { ISql } from "postgres";
import type { Data } from "./load.ts";

/** The engine's tables are separate from the shop's. */
export const engineSchema = "shop_workflows";

const mark = "Made by the orders example, and dropped when its run is over";

/**
 * The tables of the shop. They deliberately have no constraints against shipping or charging twice,
 * so the final check tests only the workflow.
 */
const tables = `
  create schema shop;
  comment on schema shop is '${mark}';
  create table shop.run (
    directory text not null,
    digest text not null
  );
  create table shop.products (
    id text primary key,
    name text not null,
    initial integer not null,
    available integer not null,
    shipped integer not null default 0
  );
  create table shop.orders (id text primary key);
  create table shop.movements (
    order_id text not null,
    product_id text not null,
    movement text not null,
    quantity integer not null
  );
  create table shop.invoices (
    number integer generated always as identity,
    order_id text not null,
    cents integer not null
  );
  create table shop.gateway (
    key text primary key,
    operation text not null,
    order_id text not null,
    cents integer not null,
    answer text not null,
    requests integer not null default 1
  );
`;

/**
 * Whether the tables exist from an earlier run. Throws when the schemas belong to something else.
 */
export async function areThere(sql: ISql): Promise<boolean> {
  const [found] = await sql<{ mark: string | null; shop: boolean; engine: boolean }[]>`
    select obj_description(to_regnamespace('shop'), 'pg_namespace') as mark,
      to_regnamespace('shop') is not null as shop,
      to_regnamespace(${engineSchema}) is not null as engine`;
  if (found!.shop && found!.mark === mark) return true;
  if (!found!.shop && !found!.engine) return false;
  const name = found!.shop ? "shop" : engineSchema;
  throw new Error(`Cannot use this database: its schema "${name}" was not created by this example`);
}

/** Creates the tables and fills the shelves. */
export async function create(sql: ISql, { directory, digest, products }: Data): Promise<void> {
  await sql.unsafe(tables);
  await sql`insert into shop.run ${sql({ directory, digest })}`;
  await sql`
    insert into shop.products (id, name, initial, available)
    select id, name, initial, initial
    from jsonb_to_recordset(${JSON.stringify(products)}::text::jsonb)
      as product (id text, name text, initial integer)`;
}

/** Removes everything that a run created. */
export async function drop(sql: ISql): Promise<void> {
  await sql.unsafe(`drop schema if exists shop, ${engineSchema} cascade`);
}
