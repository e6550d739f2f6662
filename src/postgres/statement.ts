import { array, type Element } from "./arrays.ts";

/** A column of an unnested list: its SQL type, and what a row has for it. */
export type Column<T> = readonly [type: string, value: (row: T) => Element];

/** A statement in the making: what it binds gets its number where it is used. */
export class Statement {
  readonly parameters: (string | null)[] = [];
  readonly #parts: string[] = [];

  /** Binds a text. */
  bind(value: string | null): string {
    return `$${this.parameters.push(value)}`;
  }

  /** Binds one array for each column: the arguments of `unnest`. */
  lists<T>(rows: readonly T[], ...columns: readonly Column<T>[]): string {
    return columns.map(([type, value]) => `${this.bind(array(rows, value))}::${type}[]`).join(", ");
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
