import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UsageError } from "./arguments.ts";
import { parseCsv, type Row } from "./csv.ts";
import type { Line, Order } from "./order.ts";

export interface Product {
  readonly id: string;
  readonly name: string;
  /** The initial stock. */
  readonly initial: number;
}

/** The contents of a directory of CSV files in the Northwind layout. */
export interface Data {
  readonly directory: string;
  /** A hash of the content. */
  readonly digest: string;
  readonly orders: readonly Order[];
  readonly products: readonly Product[];
}

/** Reads the four files of a directory. */
export async function load(given: string): Promise<Data> {
  const directory = resolve(given);
  const digest = createHash("sha256");
  const read = async (name: string): Promise<readonly Row[]> => {
    try {
      const text = await readFile(join(directory, name), "utf8");
      digest.update(text);
      return parseCsv(text);
    } catch (error) {
      const reason = error instanceof SyntaxError ? error.message : "it is not there";
      throw new UsageError(`Cannot read "${name}" in "${directory}": ${reason}`);
    }
  };
  const customers = await read("customers.csv");
  const products = await read("products.csv");
  const details = await read("order-details.csv");
  const orders = ordersOf(await read("orders.csv"), details, customers);
  if (orders.length === 0) {
    throw new UsageError(`Cannot run the orders in "${directory}": there are none`);
  }
  checkProducts(orders, products);
  return {
    directory,
    digest: digest.digest("hex"),
    orders,
    products: products.map((row) => stocked(row, orders)),
  };
}

function ordersOf(
  rows: readonly Row[],
  details: readonly Row[],
  customers: readonly Row[],
): readonly Order[] {
  const names = new Map(customers.map((row) => [row["customerID"], row["companyName"]]));
  const lines = new Map<string, Line[]>();
  for (const row of details) {
    const id = row["orderID"] ?? "";
    lines.set(id, [...lines.get(id) ?? [], lineOf(row)]);
  }
  return rows.map((row): Order => {
    const id = row["orderID"] ?? "";
    const customer = names.get(row["customerID"]);
    return { id, ...(customer === undefined ? {} : { customer }), lines: lines.get(id) ?? [] };
  });
}

function lineOf(row: Row): Line {
  const quantity = Number(row["quantity"]);
  const price = Number(row["unitPrice"]) * (1 - Number(row["discount"] ?? 0));
  if (!Number.isFinite(quantity * price)) {
    throw new UsageError(
      `Cannot run order "${row["orderID"]}": a line of it does not contain numbers`,
    );
  }
  return { product: row["productID"] ?? "", quantity, cents: Math.round(100 * price * quantity) };
}

function checkProducts(orders: readonly Order[], products: readonly Row[]): void {
  const known = new Set(products.map((row) => row["productID"]));
  for (const { id, lines } of orders) {
    const missing = lines.find(({ product }) => !known.has(product));
    if (missing === undefined) continue;
    throw new UsageError(`Cannot run order "${id}": there is no product "${missing.product}"`);
  }
}

/**
 * Raises the stock to nine tenths of what all orders ask for, so that only the last ones find the
 * shelf empty.
 */
function stocked(row: Row, orders: readonly Order[]): Product {
  const id = row["productID"] ?? "";
  const wanted = orders.flatMap(({ lines }) => lines)
    .reduce((sum, { product, quantity }) => product === id ? sum + quantity : sum, 0);
  const initial = Math.max(Number(row["unitsInStock"] ?? 0), Math.floor(0.9 * wanted));
  return { id, name: row["productName"] ?? id, initial };
}
