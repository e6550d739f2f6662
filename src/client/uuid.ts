let last = 0;
let sequence = 0;

/**
 * A UUIDv7 (RFC 9562): milliseconds, then twelve bits that count within one, then chance. The ids of one process grow,
 * so that instances started in one go are listed in that order.
 */
export function uuidv7(): string {
  const now = Date.now();
  if (now > last) {
    last = now;
    sequence = crypto.getRandomValues(new Uint16Array(1))[0]! & 0x3ff;
  } else if (++sequence > 0xfff) {
    last++;
    sequence = 0;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const time = last.toString(16).padStart(12, "0");
  const chance = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = (8 + (bytes[0]! & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, "0")}-` +
    `${variant}${chance.slice(1, 4)}-${chance.slice(4)}`;
}
