/** A set of row numbers. */
export type Bits = Uint32Array;

/** An empty set for numbers below `size`. */
export function none(size: number): Bits {
  return new Uint32Array((size + 31) >>> 5);
}

/** Whether `index` is in the set. */
export function has(bits: Bits, index: number): boolean {
  return ((bits[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
}

/** A copy with `index` in it. */
export function including(bits: Bits, index: number): Bits {
  const copy = bits.slice();
  copy[index >>> 5] = (copy[index >>> 5] ?? 0) | (1 << (index & 31));
  return copy;
}

/** Adds all of `more` to `bits`. */
export function unite(bits: Bits, more: Bits): void {
  for (let word = 0; word < bits.length; word++) {
    bits[word] = (bits[word] ?? 0) | (more[word] ?? 0);
  }
}

/** Keeps in `bits` what is in `other` too. */
export function intersect(bits: Bits, other: Bits): void {
  for (let word = 0; word < bits.length; word++) {
    bits[word] = (bits[word] ?? 0) & (other[word] ?? 0);
  }
}
