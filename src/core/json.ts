/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object whose members JSON can carry. */
export interface JsonObject {
  readonly [name: string]: Json;
}
