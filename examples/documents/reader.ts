/** A page that could not be read, by its place in the document. */
export interface Missing {
  readonly pages: readonly number[];
}

/** Pages that no reader can read before somebody has scanned them again. */
const dark = new Set(["contract/1", "contract/3", "letter/0"]);
const met = new Set<string>();

/** Stands in for a service that reads scanned pages. It is overloaded when it first meets one. */
export async function readPage(document: string, page: number): Promise<string> {
  await Promise.resolve();
  const name = `${document}/${page}`;
  if (!met.has(name)) {
    met.add(name);
    throw new Error("The reader is overloaded");
  }
  if (dark.has(name)) throw new TooDarkError(`Page ${page + 1} is too dark`);
  return `text of page ${page + 1}`;
}

/** A page that is not read by another attempt. */
export class TooDarkError extends Error {}

/** Puts a better picture in the place of a page. */
export function scanAgain(document: string, page: number): void {
  dark.delete(`${document}/${page}`);
}
