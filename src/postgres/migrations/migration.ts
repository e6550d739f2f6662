/** One step of the schema, up and down. */
export interface Migration {
  /** Its place, from 1, without gaps. */
  readonly version: number;
  readonly name: string;
  /** SHA-256 of `up`, in hex. */
  readonly sha256: string;
  readonly up: string;
  readonly down: string;
}
