import { HephaestusError } from "../../core/errors/errors.ts";

/** An error from PostgreSQL, the driver or the socket, without the statement or its parameters. */
export class DatabaseError extends Error {
  static {
    this.prototype.name = "DatabaseError";
  }
  /** An SQLSTATE such as "23505", or a code of the driver or the system such as "ECONNREFUSED". */
  readonly code: string;
  /** Whether the server ended the session with this error. */
  readonly fatal: boolean;
  /** Whether it happened while connecting: nothing was sent that could have had an effect. */
  connecting = false;
  declare readonly detail?: string;
  declare readonly hint?: string;
  declare readonly schema?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  /** The address of a server that could not be reached. */
  declare readonly address?: string;

  constructor(code: string, message: string, from: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    // Some poolers omit the untranslated severity.
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

// A read-only server is the wrong one: a standby, or one that its operator has made read-only.
const lost =
  /^(CONNECT(ION)?_|ECONN|EPIPE$|ETIMEDOUT$|EHOST|ENET|ENOTFOUND$|EAI_|57P0|25P0[34]|25006$|53300$|08)/;
const unable = /^(53[0-2]..|55P03|57014|POOL_EXHAUSTED)$/;
const untrusted = /^TLS_|CERT|^ERR_(TLS|SSL)/;
// Codes of a server that temporarily accepts no sessions, and of a pooler that reports on its
// server.
const passing = /^(57P0[1-3]|53...|08(?!P01)...)$/;

/** Converts an error of the driver to our own: its `parameters` and `args` cannot be deleted. */
export function databaseError(error: unknown): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  const from = error as Error & Record<string, unknown>;
  if (typeof from.code !== "string") return error;
  return new DatabaseError(from.code, error.message || from.code, from);
}

/** Whether the error is a response of the server that keeps the session open. */
export function isAnswer(error: unknown): boolean {
  return error instanceof DatabaseError && /^[0-9A-Z]{5}$/.test(error.code) && !error.fatal &&
    !isConnectionLost(error);
}

/** The code of an error, such as "40001"; "" when it has none. */
export function sqlState(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether the connection was lost, so that the outcome of what was sent is unknown. */
export function isConnectionLost(error: unknown): boolean {
  if (isRefusal(error)) return false;
  // An error with an address is a network error, whatever its code.
  return lost.test(sqlState(error)) ||
    (error instanceof DatabaseError && (error.fatal || error.address !== undefined));
}

/**
 * Whether the server or the certificate check rejects the connection. This needs a person to fix.
 */
function isRefusal(error: unknown): boolean {
  const code = sqlState(error);
  if (untrusted.test(code)) return true;
  return error instanceof DatabaseError && error.fatal && error.connecting && !passing.test(code);
}

/** Whether the server accepts no writes: it is a standby, or it is starting or stopping. */
export function isUnwritable(error: unknown): boolean {
  return /^(25006|57P0[123])$/.test(sqlState(error));
}

/** Whether the database requests that the same transaction be run again. */
export function isRetryable(error: unknown): boolean {
  return sqlState(error) === "40001" || sqlState(error) === "40P01";
}

/** Whether the server stopped waiting for another transaction, or was told to cancel. */
export function isImpatience(error: unknown): boolean {
  return isLockTimeout(error) || sqlState(error) === "57014";
}

export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === "55P03";
}

/** Describes the error in a sentence without password, URL, statement or parameters. */
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
        (behindPool ? ". Behind PgBouncer, connect with prepare: false" : ""),
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

/** The same for a statement of a user: what it waits for is not the engine's concern. */
export function failed(error: unknown): HephaestusError {
  const code = sqlState(error);
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot run a statement: the database reported ${code || "an unknown error"}`,
    { cause: error },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host is unknown",
  ENOENT: "there is no such socket",
  EACCES: "this process has no permission to use the socket",
  CONNECT_TIMEOUT: "connecting took too long",
  CONNECTION_DEADLINE: "the server did not respond in time",
  POOL_EXHAUSTED: "no connection became free in time",
  "25006": "the server is read-only",
  "53100": "the database's disk is full",
  "53200": "the database is out of memory",
  "55P03": "a lock was not available in time",
  "57014": "it took too long or was cancelled",
};

/**
 * Converts driver errors to sentences, with a code that says whether the database could be reached.
 */
export async function reporting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DatabaseError ? describe(error) : error;
  }
}
