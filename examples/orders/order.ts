/** One product of an order. `cents` is the price of the whole line, its discount taken off. */
export interface Line {
  readonly product: string;
  readonly quantity: number;
  readonly cents: number;
}

/** What an instance of the workflow is started with: JSON, as it lies in the database. */
export interface Order {
  readonly id: string;
  /** The name of a known customer. */
  readonly customer?: string;
  readonly lines: readonly Line[];
}
