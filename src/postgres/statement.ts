import { array, type Element } from "./arrays.ts";

/** A column of a list: its name, its SQL type, and what a row has for it. */
export type Column<T> = readonly [
  name: string,
  type: string,
  value: (row: T, index: number) => Element,
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
   * Binds one array for each column: a list to select from. `unnest` stands behind `select`: behind `from`, PostgreSQL would
   * write each array to a store of its own first.
   */
  rows<T>(name: string, rows: readonly T[], ...columns: readonly Column<T>[]): string {
    const lists = columns.map(([column, type, value]) =>
      `unnest(${this.array(rows, type, value)}) as ${column}`
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
