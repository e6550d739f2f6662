const most = 65_533; // the driver counts one short of what the protocol's 16 bits carry

/** Refuses what would break the connection for others, before the driver sees it. */
export function checkStatement(text: unknown, parameters: unknown = []): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot run a statement: its text must be a string, got ${kind(text)}`);
  }
  if (text.includes("\u0000")) {
    throw new TypeError("Cannot run a statement: its text holds a NUL character");
  }
  if (!Array.isArray(parameters)) {
    throw new TypeError(
      `Cannot run a statement: its parameters must be an array, got ${kind(parameters)}`,
    );
  }
  if (parameters.length > most) {
    throw new TypeError(
      `Cannot run a statement: it has ${parameters.length} parameters, at most ${most} can be sent`,
    );
  }
  for (let i = 0; i < parameters.length; i++) {
    if (typeof parameters[i] === "string" || parameters[i] === null) continue;
    throw new TypeError(
      `Cannot run a statement: parameter $${i + 1} must be a string or null, got ${
        kind(parameters[i])
      }`,
    );
  }
}

/** The type of a value, never the value. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  return /^[aeiou]/.test(typeof value) ? `an ${typeof value}` : `a ${typeof value}`;
}
