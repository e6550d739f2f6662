import { HephaestusError } from "../../core/errors/errors.ts";

/** What PostgreSQL, the driver or the socket said, without the statement or its parameters. */
export class DatabaseError extends Error {
  static {
    this.prototype.name = "DatabaseError";
  }
  /** An SQLSTATE such as "23505", or a driver's or system's code such as "ECONNREFUSED". */
  readonly code: string;
  /** Whether the server ended the session with it. */
  readonly fatal: boolean;
  /** Whether it came instead of a session: nothing has been sent that could have had an effect. */
  connecting = false;
  declare readonly detail?: string;
  declare readonly hint?: string;
  declare readonly schema?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  /** Where the server was looked for, when it could not be reached. */
  declare readonly address?: string;

  constructor(code: string, message: string, from: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    // Some poolers leave out the one that is never translated.
    const severity = from.severity ?? from.severity_local;
    this.fatal = severity === "FATAL" || severity === "PANIC";
    for (const [name, field] of fields) {
      if (from[field] !== undefined) Object.assign(this, { [name]: String(from[field]) });
    }
  }
}

const fields = [
  ["detail", "detail"],
  ["hint", "hint"],
  ["schema", "schema_name"],
  ["table", "table_name"],
  ["column", "column_name"],
  ["constraint", "constraint_name"],
  ["address", "address"],
] as const;

// A read-only server is another one than the one to write to: a standby, or one that its operator
// has closed.
const lost =
  /^(CONNECT(ION)?_|ECONN|EPIPE$|ETIMEDOUT$|EHOST|ENET|ENOTFOUND$|EAI_|57P0|25P0[34]|25006$|53300$|08)/;
const unable = /^(53[0-2]..|55P03|57014|POOL_EXHAUSTED)$/;
const untrusted = /^TLS_|CERT|^ERR_(TLS|SSL)/;
// What a server that cannot take a session now says instead, and what a pooler says of its server.
const passing = /^(57P0[1-3]|53...|08(?!P01)...)$/;

/** Makes an error of the driver our own: its `parameters` and `args` cannot be deleted. */
export function databaseError(error: unknown): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  const from = error as Error & Record<string, unknown>;
  if (typeof from.code !== "string") return error;
  return new DatabaseError(from.code, error.message || from.code, from);
}

/** Whether the server answered with it and keeps the session. */
export function isAnswer(error: unknown): boolean {
  return error instanceof DatabaseError && /^[0-9A-Z]{5}$/.test(error.code) && !error.fatal &&
    !isConnectionLost(error);
}

/** The code of an error, such as "40001"; "" when it has none. */
export function sqlState(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether the connection was lost: the outcome of what was sent is unknown. */
export function isConnectionLost(error: unknown): boolean {
  if (isRefusal(error)) return false;
  // With an address it came from the way there, whatever the system calls it.
  return lost.test(sqlState(error)) ||
    (error instanceof DatabaseError && (error.fatal || error.address !== undefined));
}

/**
 * Whether the server, or the check of its certificate, does not let us in. A person has to do
 * something about it.
 */
function isRefusal(error: unknown): boolean {
  const code = sqlState(error);
  if (untrusted.test(code)) return true;
  return error instanceof DatabaseError && error.fatal && error.connecting && !passing.test(code);
}

/** Whether the server is none to write to: a standby, or one that is starting or stopping. */
export function isUnwritable(error: unknown): boolean {
  return /^(25006|57P0[123])$/.test(sqlState(error));
}

/** Whether the database asks to run the same transaction again. */
export function isRetryable(error: unknown): boolean {
  return sqlState(error) === "40001" || sqlState(error) === "40P01";
}

/** Whether the server gave up waiting for somebody else, or was told to. */
export function isImpatience(error: unknown): boolean {
  return isLockTimeout(error) || sqlState(error) === "57014";
}

export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === "55P03";
}

/** The same error as a sentence that holds no password, URL, statement or parameter. */
export function describe(error: unknown): HephaestusError {
  if (error instanceof HephaestusError) return error;
  const code = sqlState(error);
  const { message, address = undefined, fatal = false } = error instanceof DatabaseError
    ? error
    : { message: "" };
  const at = address ? ` at "${address}"` : "";
  if (isRefusal(error)) {
    const behindPool = code === "08P01" && message.includes("startup parameter");
    return new HephaestusError(
      "DATABASE_REFUSED",
      `Cannot connect to the database${at}: ${message || code}` +
        (behindPool ? ", behind PgBouncer connect with prepare: false" : ""),
      { cause: error },
    );
  }
  if (isConnectionLost(error)) {
    const reason = fatal ? message : reasons[code] ?? "the connection was lost";
    return new HephaestusError(
      "DATABASE_UNREACHABLE",
      `Cannot reach the database${at}: ${reason} (${code})`,
      { cause: error },
    );
  }
  if (unable.test(code)) {
    return new HephaestusError(
      "DATABASE_UNAVAILABLE",
      `Cannot run a statement now: ${reasons[code] ?? "the database lacks resources"} (${code})`,
      { cause: error },
    );
  }
  return failed(error);
}

/** The same for a statement that is not ours: what it waits for is its own affair. */
export function failed(error: unknown): HephaestusError {
  const code = sqlState(error);
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot run a statement: the database answered ${code || "with an unknown error"}`,
    { cause: error },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host is unknown",
  ENOENT: "there is no such socket",
  EACCES: "this process may not use the socket",
  CONNECT_TIMEOUT: "the connection was not made in time",
  CONNECTION_DEADLINE: "no answer came in time",
  POOL_EXHAUSTED: "no connection was free in time",
  "25006": "it is read-only",
  "53100": "the disk of the database is full",
  "53200": "the database is out of memory",
  "55P03": "a lock was not free in time",
  "57014": "it took too long, or somebody cancelled it",
};

/**
 * Makes what the driver says a sentence, with a code that tells whether the database could be
 * reached.
 */
export async function reporting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DatabaseError ? describe(error) : error;
  }
}
