/** One product of an order. `cents` is the price of the whole line after its discount. */
export interface Line {
  readonly product: string;
  readonly quantity: number;
  readonly cents: number;
}

/** The input of the workflow, as it is stored in JSON. */
export interface Order {
  readonly id: string;
  /** The name of a known customer. */
  readonly customer?: string;
  readonly lines: readonly Line[];
}
