/**
 * Rows by key and by group. Rows are replaced, never changed, so that a write can be undone by
 * restoring the old row.
 */
export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #groups = new Map<string, Map<string, Row>>();
  readonly #keyOf: (row: Row) => string;
  readonly #groupOf: (row: Row) => string;
  readonly #journal: (() => void)[];

  /** Every write appends its undo function to `journal`. */
  constructor(
    journal: (() => void)[],
    keyOf: (row: Row) => string,
    groupOf: (row: Row) => string = () => "",
  ) {
    this.#journal = journal;
    this.#keyOf = keyOf;
    this.#groupOf = groupOf;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  /** The rows of one group, in no particular order. */
  of(group: string): readonly Row[] {
    return [...this.#groups.get(group)?.values() ?? []];
  }

  insert(row: Row): void {
    const key = this.#keyOf(row);
    if (this.#rows.has(key)) throw new Error(`Cannot insert row "${key}": it already exists`);
    this.put(row);
  }

  put(row: Row): void {
    const key = this.#keyOf(row);
    this.#remember(key);
    this.#set(key, row);
  }

  delete(row: Row): void {
    const key = this.#keyOf(row);
    this.#remember(key);
    this.#remove(key);
  }

  #remember(key: string): void {
    const before = this.#rows.get(key);
    this.#journal.push(() => before === undefined ? this.#remove(key) : this.#set(key, before));
  }

  #set(key: string, row: Row): void {
    this.#rows.set(key, row);
    const name = this.#groupOf(row);
    const group = this.#groups.get(name) ?? new Map<string, Row>();
    this.#groups.set(name, group.set(key, row));
  }

  #remove(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    const name = this.#groupOf(row);
    const group = this.#groups.get(name);
    group?.delete(key);
    if (group?.size === 0) this.#groups.delete(name);
  }
}
