/**
 * Like `Array.prototype.filter`, but returns the list itself when every item passes, which is the
 * usual case in a turn.
 */
export function filtered<T, U extends T>(
  list: readonly T[],
  holds: (item: T) => item is U,
): readonly U[];
export function filtered<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[];
export function filtered<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[] {
  return list.every(holds) ? list : list.filter(holds);
}
