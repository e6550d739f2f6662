import type { Sql } from "../../mod.ts";
import type { Order } from "./order.ts";

/** The movements of an order's goods. */
export type Movement = "reserved" | "released" | "shipped";

/**
 * Finds a product that is not in stock in the ordered quantity. Locks the products until the
 * transaction ends, always in the same order, so that two orders cannot deadlock.
 */
export async function shortage(sql: Sql, { lines }: Order): Promise<string | undefined> {
  const products = await sql<{ name: string; enough: boolean }>`
    select name, available >= quantity as enough
    from shop.products
    join jsonb_to_recordset(${lines}::jsonb) as line (product text, quantity int) on id = product
    order by id
    for update of products`;
  return products.find(({ enough }) => !enough)?.name;
}

/** Moves the goods of an order and records the movement. */
export async function move(sql: Sql, { id, lines }: Order, movement: Movement): Promise<void> {
  await sql`
    with line as (
      select * from jsonb_to_recordset(${lines}::jsonb) as line (product text, quantity int)
    ), locked as (
      select id from shop.products where id in (select product from line) order by id for update
    ), booked as (
      insert into shop.movements (order_id, product_id, movement, quantity)
      select ${id}, product, ${movement}, quantity from line
    )
    update shop.products set
      available = available + case ${movement}
        when 'reserved' then -quantity when 'released' then quantity else 0 end,
      shipped = shipped + case ${movement} when 'shipped' then quantity else 0 end
    from line, locked where products.id = product and locked.id = product`;
}
