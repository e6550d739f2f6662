import { describe, it } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HephaestusError } from "../../../src/core/errors/errors.ts";
import {
  DatabaseError,
  databaseError,
  describe as explain,
  isConnectionLost,
  isLockTimeout,
  isRetryable,
} from "../../../src/postgres/driver/errors.ts";

const coded = (code: string, more: object = {}) =>
  Object.assign(new Error(`message of ${code}`), { code, ...more });

/** What the server says instead of a session. */
function atConnect(code: string, message = `message of ${code}`): DatabaseError {
  const error = new DatabaseError(code, message, { severity: "FATAL" });
  error.connecting = true;
  return error;
}

describe("an error of the database", () => {
  it("means a lost connection, with an unknown outcome, or not", () => {
    const lost = [
      ...["CONNECTION_CLOSED", "CONNECTION_DEADLINE", "CONNECTION_ENDED", "CONNECT_TIMEOUT"],
      ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH"],
      ...["57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "25006", "53300", "08006", "08P01"],
    ];
    const kept = [
      ...["23505", "40001", "40P01", "55P03", "57014", "28P01", "3D000", "25P02", "25001", "42P01"],
      ...["53100", "53200", "53400"],
      ...["DATABASE_CLOSED", "TRANSACTION_ENDED", "", "EACCES"],
    ];
    for (const code of lost) assert(isConnectionLost(coded(code)), code);
    for (const code of kept) assert(!isConnectionLost(coded(code)), code);
    // What ends a session has lost it, whatever its code; what comes instead of one says why.
    for (const code of ["XX000", "28P01", "57P04", "42501"]) {
      assert(isConnectionLost(new DatabaseError(code, "m", { severity: "FATAL" })), code);
      assert(!isConnectionLost(atConnect(code)), code);
    }
    for (const code of ["57P03", "53300", "08006"]) assert(isConnectionLost(atConnect(code)), code);
    for (const odd of [undefined, null, "CONNECTION_CLOSED", 5, {}, { code: 8000 }]) {
      assert(!isConnectionLost(odd) && !isRetryable(odd) && !isLockTimeout(odd));
    }
    assert(isRetryable(coded("40001")) && isRetryable(coded("40P01")));
    assert(!isRetryable(coded("40002")) && !isRetryable(coded("55P03")));
    assert(isLockTimeout(coded("55P03")) && !isLockTimeout(coded("40P01")));
  });

  it("leaves statement and parameters behind", () => {
    const from = coded("23505", { severity: "ERROR", constraint_name: "only_once" });
    const locked = { parameters: ["secret"], args: ["secret"], query: "secret" };
    for (const [name, value] of Object.entries(locked)) {
      Object.defineProperty(from, name, { value });
    }
    const error = databaseError(from);
    assert(error instanceof DatabaseError);
    assertEquals([error.code, error.constraint, error.fatal], ["23505", "only_once", false]);
    assert(Object.getOwnPropertyNames(error).every((name) => !(name in locked)));
    assertStrictEquals(databaseError(error), error);
    const other = new TypeError("not of the database");
    assertStrictEquals(databaseError(other), other);
  });

  it("becomes a sentence with a code", () => {
    const cases = [
      [atConnect("28P01"), "DATABASE_REFUSED", "Cannot connect to the database: message of 28P01"],
      [atConnect("XX000"), "DATABASE_REFUSED", "Cannot connect to the database: message of XX000"],
      [
        atConnect("53300", "sorry, too many clients already"),
        "DATABASE_UNREACHABLE",
        "Cannot reach the database: sorry, too many clients already (53300)",
      ],
      [
        new DatabaseError("XX000", "the pooler gave up", { severity_local: "FATAL" }),
        "DATABASE_UNREACHABLE",
        "Cannot reach the database: the pooler gave up (XX000)",
      ],
      [
        Object.assign(new DatabaseError("TLS_MISSING", "it has no TLS"), { address: "db:5432" }),
        "DATABASE_REFUSED",
        'Cannot connect to the database at "db:5432": it has no TLS',
      ],
      [
        atConnect("08P01", "unsupported startup parameter: statement_timeout"),
        "DATABASE_REFUSED",
        "Cannot connect to the database: unsupported startup parameter: statement_timeout. " +
        "Behind PgBouncer, connect with prepare: false",
      ],
      [
        new DatabaseError("ECONNREFUSED", "x", { address: "db:5432" }),
        "DATABASE_UNREACHABLE",
        'Cannot reach the database at "db:5432": the connection was refused (ECONNREFUSED)',
      ],
      [
        coded("CONNECTION_CLOSED"),
        "DATABASE_UNREACHABLE",
        "Cannot reach the database: the connection was lost (CONNECTION_CLOSED)",
      ],
      [
        coded("25006"),
        "DATABASE_UNREACHABLE",
        "Cannot reach the database: the server is read-only (25006)",
      ],
      [
        coded("53100"),
        "DATABASE_UNAVAILABLE",
        "Cannot run a statement now: the database's disk is full (53100)",
      ],
      [
        coded("55P03"),
        "DATABASE_UNAVAILABLE",
        "Cannot run a statement now: a lock was not available in time (55P03)",
      ],
      [
        coded("53000"),
        "DATABASE_UNAVAILABLE",
        "Cannot run a statement now: the database lacks resources (53000)",
      ],
      [
        coded("22P02", { message: 'invalid input syntax: "secret"' }),
        "DATABASE_FAILED",
        "Cannot run a statement: the database reported 22P02",
      ],
      [
        undefined,
        "DATABASE_FAILED",
        "Cannot run a statement: the database reported an unknown error",
      ],
    ] as const;
    for (const [error, code, message] of cases) {
      const told = explain(error);
      assert(told instanceof HephaestusError);
      assertEquals([told.code, told.message], [code, message]);
      assertStrictEquals(told.cause, error);
      assertStrictEquals(explain(told), told);
    }
  });
});
