import type { Sql } from "postgres";

/** The final stock of a product. */
export interface Stock {
  readonly name: string;
  readonly initial: number;
  readonly available: number;
  readonly shipped: number;
}

/** The stock, with the most ordered products first. */
export async function stockOf(sql: Sql): Promise<readonly Stock[]> {
  return await sql<Stock[]>`
    select name, initial, available, shipped from shop.products order by shipped desc, name`;
}

/** Conditions that must never hold when every order has finished. Each query returns sentences. */
const violations = `
  select format('%s: %s are not %s left and %s shipped', name, initial, available, shipped)
    as violation
  from shop.products where initial <> available + shipped or available < 0
union all
  select format('%s: the book has %s shipped, the shelf %s', name, booked, shipped)
  from shop.products join lateral (
    select coalesce(sum(quantity), 0) as booked
    from shop.movements where product_id = id and movement = 'shipped') on true
  where booked <> shipped
union all
  select format('order %s moved product %s not once, but: %s', order_id, product_id,
    string_agg(movement, ', '))
  from shop.movements group by order_id, product_id
  having count(*) filter (where movement = 'reserved') <> 1
    or count(*) filter (where movement in ('released', 'shipped')) <> 1
    or min(quantity) <> max(quantity)
union all
  select format('order %s was shipped %s times over, invoiced %s times, charged %s times',
    id, shipped, invoiced, charged)
  from shop.orders
  join lateral (select count(*) as lines, count(distinct product_id) as products,
      (count(*) > 0)::int * count(*) / greatest(count(distinct product_id), 1) as shipped
    from shop.movements where order_id = id and movement = 'shipped') on true
  join lateral (select count(*) as invoiced, min(cents) as asked
    from shop.invoices where order_id = id) on true
  join lateral (select count(*) as charged, min(cents) as paid
    from shop.gateway where order_id = id and operation = 'capture') on true
  where (shipped, invoiced, charged) not in ((0, 0, 0), (1, 1, 1)) or asked <> paid
union all
  select format('order %s: %s authorized, %s used or given back', order_id, authorized, ended)
  from (
    select order_id, count(*) filter (where answer = 'authorized') as authorized,
      count(*) filter (where answer in ('captured', 'withdrawn')) as ended
    from shop.gateway group by order_id) as payments
  where authorized <> ended
`;

/** Sentences about violated conditions; empty when everything adds up. */
export async function violationsOf(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.unsafe<{ violation: string }[]>(violations);
  return rows.map(({ violation }) => violation);
}
