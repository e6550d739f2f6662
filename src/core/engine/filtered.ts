/**
 * Those for which it holds; the list itself when that is all of them, which most lists of a turn
 * are.
 */
export function filtered<T, U extends T>(
  list: readonly T[],
  holds: (item: T) => item is U,
): readonly U[];
export function filtered<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[];
export function filtered<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[] {
  return list.every(holds) ? list : list.filter(holds);
}
