/** A row by column name. `NULL` and empty fields are absent. */
export type Row = Readonly<Record<string, string | undefined>>;

const field = /(?:"((?:[^"]|"")*)"|([^",\r\n][^,\r\n]*|))(,|\r?\n|$)/gy;

/** Parses comma-separated values with a header line. Fields may be quoted. */
export function parseCsv(text: string): readonly Row[] {
  const [names = [], ...records] = recordsOf(text.replace(/^\uFEFF/, ""));
  return records
    .filter((record) => record.some((value) => value !== ""))
    .map((record) => Object.fromEntries(names.map((name, i) => [name, present(record[i])])));
}

function recordsOf(text: string): readonly string[][] {
  const records: string[][] = [[]];
  let end = 0;
  for (const { 0: all, 1: quoted, 2: plain = "", 3: separator, index } of text.matchAll(field)) {
    records.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain);
    end = index + all.length;
    if (end === text.length) break;
    if (separator !== ",") records.push([]);
  }
  if (end < text.length) {
    throw new SyntaxError(`line ${text.slice(0, end).split("\n").length} is no CSV`);
  }
  return records;
}

function present(value: string | undefined): string | undefined {
  return value === "NULL" || value === "" ? undefined : value;
}
