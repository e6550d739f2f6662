import { array, type Element } from "./arrays.ts";

/**
 * A column of a list: its name, its SQL type, what a row has for it, and whether most lists have
 * nothing at all there.
 */
export type Column<T> = readonly [
  name: string,
  type: string,
  value: (row: T, index: number) => Element,
  rare?: "rare",
];

/** A statement in the making: what it binds gets its number where it is used. */
export class Statement {
  readonly parameters: (string | null)[] = [];
  readonly #parts: string[] = [];

  /** Binds a text. */
  bind(value: string | null): string {
    return `$${this.parameters.push(value)}`;
  }

  /** Binds one array. */
  array<T>(rows: readonly T[], type: string, value: (row: T, index: number) => Element): string {
    return `${this.bind(array(rows, value))}::${type}[]`;
  }

  /**
   * Binds one array for each column: a list to select from. `unnest` stands behind `select`: behind
   * `from`, PostgreSQL would write each array to a store of its own first. Rare columns are bound
   * only where some row has something for one of them: all together, or there would be a statement
   * for each choice of them.
   */
  rows<T>(name: string, rows: readonly T[], ...columns: readonly Column<T>[]): string {
    const rares = columns.filter(([, , , rare]) => rare);
    const some = rows.some((row, index) =>
      rares.some(([, , value]) => value(row, index) !== undefined)
    );
    const lists = columns.map(([column, type, value, rare]) =>
      rare && !some
        ? `null::${type} as ${column}`
        : `unnest(${this.array(rows, type, value)}) as ${column}`
    );
    return `(select ${lists.join(", ")}) as ${name}`;
  }

  /** Adds a common table expression. */
  with(name: string, sql: string): void {
    this.#parts.push(`${name} as ${sql}`);
  }

  /** The text: the common table expressions, then `sql`. */
  text(sql: string): string {
    return `with ${this.#parts.join(",\n")}\n${sql}`;
  }
}
