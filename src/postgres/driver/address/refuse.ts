/**
 * Throws an error about an address. The reason must not quote the URL, which may contain a
 * password.
 */
export function refuse(reason: string): never {
  throw new TypeError(`Cannot connect to the database: ${reason}`);
}
