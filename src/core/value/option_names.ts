/** The names of the options of a call. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

const mostNamed = 8;

/**
 * Rejects unknown options at run time too, for callers in plain JavaScript: a misspelled `dryRun`
 * would migrate.
 */
export function checkNames<Options>(
  action: string,
  options: unknown,
  known: OptionNames<Options>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action}: its options are not an object`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new TypeError(
      `Cannot ${action}: there is no option "${name}"${hint(name, Object.keys(known))}`,
    );
  }
}

function hint(name: string, known: readonly string[]): string {
  const meant = known.find((one) => alike(one, name));
  if (meant !== undefined) return `. Did you mean "${meant}"?`;
  return known.length > mostNamed ? "" : `. The options are ${known.join(", ")}`;
}

/** Whether two names differ only in case or in one or two letters. */
function alike(one: string, other: string): boolean {
  return distance(one.toLowerCase(), other.toLowerCase()) <= (one.length < 5 ? 1 : 2);
}

/**
 * The edit distance: how many letters must be inserted, removed or replaced to turn one into the
 * other.
 */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to++) {
      const replaced = row[to]! + (letter === other[to] ? 0 : 1);
      next.push(Math.min(replaced, row[to + 1]! + 1, next[to]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
