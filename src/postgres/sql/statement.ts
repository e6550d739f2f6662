import { array, type Element } from "./arrays.ts";

/**
 * A column of a list: its name, its SQL type, its value in a row, and whether most lists have no
 * value for it.
 */
export type Column<T> = readonly [
  name: string,
  type: string,
  value: (row: T, index: number) => Element,
  rare?: "rare",
];

/** Builds a statement. Parameters are numbered in the order in which they are bound. */
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
   * Binds one array per column, as a list to select from. `unnest` is in the `select` list, because
   * in `from` PostgreSQL would first write each array to a tuplestore. Rare columns are bound only
   * if some row has a value in one of them. They are bound all together, or each combination would
   * be a different statement.
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
