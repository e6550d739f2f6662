import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DatabaseError } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { pauseAfter, retrying } from "../../../src/postgres/driver/retrying.ts";
import { database } from "../../pg.ts";

const backoff = { first: 1, most: 4 };
const failure = (code: string) => new DatabaseError(code, "it failed");

describe("retrying", () => {
  for (
    const code of [
      "40001",
      "40P01",
      "55P03",
      "57014",
      "53100",
      "57P01",
      "CONNECTION_CLOSED",
      "ECONNREFUSED",
    ]
  ) {
    it(`runs work again after ${code}`, async () => {
      const attempts: number[] = [];
      const result = await retrying((attempt) => {
        attempts.push(attempt);
        return attempt < 3 ? Promise.reject(failure(code)) : Promise.resolve("done");
      }, { backoff });
      assertEquals([result, attempts], ["done", [1, 2, 3]]);
    });
  }

  for (
    const error of [
      failure("23505"),
      failure("28P01"),
      failure("DATABASE_CLOSED"),
      new TypeError(),
      "text",
    ]
  ) {
    it(`does not run work again after ${(error as DatabaseError).code ?? error}`, async () => {
      let attempts = 0;
      const thrown = await assertRejects(() =>
        retrying(() => {
          attempts++;
          return Promise.reject(error);
        }, { backoff })
      );
      assertStrictEquals(thrown, error);
      assertEquals(attempts, 1);
    });
  }

  it("throws the last error at its deadline", async () => {
    let attempts = 0;
    const error = await assertRejects(
      () =>
        retrying(() => Promise.reject(failure(attempts++ === 0 ? "40001" : "40P01")), {
          backoff,
          deadline: 500,
        }),
      DatabaseError,
    );
    assertEquals(error.code, "40P01");
    assert(attempts > 1);
  });

  it("ends with the signal's reason, also in the middle of a pause", async () => {
    const abort = new AbortController();
    const reason = new RangeError("stop");
    const stopped = retrying(() => {
      queueMicrotask(() => abort.abort(reason));
      return Promise.reject(failure("40001"));
    }, {
      signal: abort.signal,
      backoff: { first: 3_600_000, most: 3_600_000 },
      deadline: Infinity,
    });
    assertStrictEquals(await assertRejects(() => stopped), reason);
    let ran = false;
    const never = retrying(() => Promise.resolve(ran = true), { signal: abort.signal });
    assertStrictEquals(await assertRejects(() => never), reason);
    assertEquals(ran, false);
  });

  it("pauses longer each time, up to the most, and never the same for all", () => {
    const pauses = Array.from({ length: 100 }, () => pauseAfter(3, { first: 10, most: 1000 }));
    assert(pauses.every((pause) => pause >= 20 && pause <= 40));
    assert(new Set(pauses).size > 1);
    assert(pauseAfter(2000, { first: 10, most: 1000 }) <= 1000);
  });

  it("lets two transactions that lock each other both commit", async () => {
    await using own = await database();
    const db = connect({ url: own.url, max: 2, settings: { deadlock_timeout: "10ms" } });
    await db.script(
      "create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
    );
    const both = [["1", "2"], ["2", "1"]];
    let first = 0;
    let meet = () => {};
    const met = new Promise<void>((resolve) => meet = resolve);
    await Promise.all(both.map((ids) =>
      retrying(() =>
        db.transaction(async (tx) => {
          await tx.query("update t set n = n + 1 where id = $1", [ids[0]!]);
          if (++first === 2) meet();
          await met;
          await tx.query("update t set n = n + 1 where id = $1", [ids[1]!]);
        })
      )
    ));
    assert(first === 3);
    assertEquals(await db.query("select n from t"), [{ n: "2" }, { n: "2" }]);
    await db.close();
  });
});
