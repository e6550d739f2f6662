let last = 0;
let sequence = 0;
let prefix = "";

// Random numbers are fetched for many ids at once, because the call costs more than an id.
const chance = new Uint32Array(1024);
let used = chance.length;

/**
 * Creates a UUIDv7 (RFC 9562): milliseconds, a 12-bit counter within the millisecond, then random
 * bits. The ids of one process are ascending, so that instances started together are listed in that
 * order.
 */
export function uuidv7(): string {
  const now = Date.now();
  if (now > last) {
    setTime(now);
    sequence = random() & 0x3ff;
  } else if (++sequence > 0xfff) {
    setTime(last + 1);
    sequence = 0;
  }
  const [first, second] = [random(), random()];
  // The two highest bits are 10, the variant.
  const node = hex(0x8000 | (first & 0x3fff), 4);
  return `${prefix}7${hex(sequence, 3)}-${node}-${hex(first >>> 16, 4)}${hex(second, 8)}`;
}

function setTime(milliseconds: number): void {
  last = milliseconds;
  const time = hex(milliseconds, 12);
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-`;
}

function random(): number {
  if (used === chance.length) {
    crypto.getRandomValues(chance);
    used = 0;
  }
  return chance[used++]!;
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, "0");
}
