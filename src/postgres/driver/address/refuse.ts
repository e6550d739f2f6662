/** What is wrong with an address, without a word of the URL: it may hold a password. */
export function refuse(reason: string): never {
  throw new TypeError(`Cannot connect to the database: ${reason}`);
}
