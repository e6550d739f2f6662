import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseError, isConnectionLost } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { ConnectOptions, Db, Tx } from "../../../src/postgres/driver/contract.ts";
import { type Database, database } from "../../pg.ts";
import { type Proxy, proxy } from "../../proxy.ts";

interface Scene {
  readonly db: Db;
  readonly road: Proxy;
  readonly own: Database;
  /** What table "t" holds. */
  rows(): Promise<readonly string[]>;
}

async function scene(options: ConnectOptions, play: (scene: Scene) => Promise<void>) {
  await using own = await database();
  await using road = await proxy(own.url);
  await own.sql.unsafe("create table t (id text primary key)");
  const db = connect({ url: road.url, max: 2, ...options });
  const rows = async () =>
    (await own.sql.unsafe("select id from t order by id")).map((row) => String(row.id));
  try {
    await play({ db, road, own, rows });
  } finally {
    await db.close();
  }
}

// As it ends a simple query: "begin isolation level read committed" has the word in it too.
const commit = "commit\0";

const insert = (tx: Tx, id: string) => tx.query("insert into t values ($1)", [id]);
const backend = async (tx: Tx) =>
  (await tx.query<{ pid: string }>("select pg_backend_pid() as pid"))[0]!.pid;

/** A promise and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open };
}

describe("a transaction", () => {
  it("commits what its work did and returns its result", () =>
    scene({}, async ({ db, rows }) => {
      const result = await db.transaction(async (tx) => {
        await insert(tx, "a");
        return 7;
      });
      assertEquals([result, await rows()], [7, ["a"]]);
    }));

  it("rolls back and rejects with the error of its work", () =>
    scene({ max: 1 }, async ({ db, rows }) => {
      const error = await assertRejects(() =>
        db.transaction(async (tx) => {
          await insert(tx, "a");
          throw new RangeError("mine");
        }), RangeError);
      assertEquals([error.message, await rows()], ["mine", []]);
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("rolls back when its work throws before it returns a promise", () =>
    scene({ max: 1 }, async ({ db }) => {
      await assertRejects(() =>
        db.transaction(() => {
          throw new RangeError("mine");
        }), RangeError);
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("rejects when a statement failed though its work hid it", () =>
    scene({ max: 1 }, async ({ db, rows }) => {
      const error = await assertRejects(() =>
        db.transaction(async (tx) => {
          await insert(tx, "a");
          await tx.query("select 1/0").catch(() => {});
          return "fine";
        }), DatabaseError);
      assertEquals([error.code, await rows()], ["22012", []]);
    }));

  it("rejects when its commit fails, and the connection stays usable", () =>
    scene({ max: 1 }, async ({ db, rows }) => {
      await db.script("alter table t add unique (id) deferrable initially deferred");
      await db.script("alter table t drop constraint t_pkey");
      const error = await assertRejects(() =>
        db.transaction(async (tx) => {
          await insert(tx, "a");
          await insert(tx, "a");
        }), DatabaseError);
      assertEquals([error.code, await rows()], ["23505", []]);
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("commits past a failed statement that a savepoint undid", () =>
    scene({}, async ({ db, rows }) => {
      await db.transaction(async (tx) => {
        await insert(tx, "a");
        await tx.query("savepoint here");
        await assertRejects(() => insert(tx, "a"));
        await tx.query("rollback to here");
        await insert(tx, "b");
      });
      assertEquals(await rows(), ["a", "b"]);
    }));

  it("sends one statement at a time, in order, each with its own rows", () =>
    scene({ max: 1 }, async ({ db, road }) => {
      await db.transaction(async (tx) => {
        const first = tx.query("select pg_sleep(0.05)");
        const second = tx.query("select 'second'");
        await first;
        assertEquals(road.seen("second"), 0);
        await second;
      });
      await db.transaction(async (tx) => {
        const answers = await Promise.all(
          Array.from(
            { length: 50 },
            (_, i) => tx.query(`select ${i} as i, $1::int as j`, [`${i}`]),
          ),
        );
        assertEquals(answers.flat(), answers.map((_, i) => ({ i: `${i}`, j: `${i}` })));
      });
    }));

  it("waits for statements that its work did not await", () =>
    scene({}, async ({ db, rows }) => {
      await db.transaction(async (tx) => {
        void insert(tx, "a");
        void insert(tx, "b");
        await Promise.resolve();
      });
      assertEquals(await rows(), ["a", "b"]);
      await assertRejects(() =>
        db.transaction(async (tx) => {
          void insert(tx, "c");
          void insert(tx, "a");
          await Promise.resolve();
        }), DatabaseError);
      assertEquals(await rows(), ["a", "b"]);
    }));

  it("refuses statements once it has ended", () =>
    scene({ max: 1 }, async ({ db, rows }) => {
      let kept: Tx | undefined;
      await db.transaction(async (tx) => {
        kept = tx;
        await insert(tx, "a");
      });
      const other = db.transaction(async (tx) => {
        await insert(tx, "b");
        await assertRejects(
          () => insert(kept!, "stray"),
          DatabaseError,
          "its transaction has ended",
        );
        await assertRejects(() => kept!.script("insert into t values ('stray')"), DatabaseError);
        throw new RangeError("undo");
      });
      await assertRejects(() => other, RangeError);
      assertEquals(await rows(), ["a"]);
    }));
});

const deaths: Readonly<Record<string, (scene: Scene, pid: string) => Promise<unknown>>> = {
  "its session is terminated": ({ own }, pid) =>
    own.sql.unsafe("select pg_terminate_backend($1::int)", [pid]),
  "its connection is reset": ({ road }) => Promise.resolve(road.cut()),
};

for (const [death, kill] of Object.entries(deaths)) {
  describe(`a transaction of which ${death}`, () => {
    it("sends nothing more, not into the transaction that comes after it either", () =>
      scene({ max: 1 }, async (now) => {
        const { db, road, rows } = now;
        const later = gate();
        const refusals: unknown[] = [];
        let ghost: Promise<void> | undefined;
        const dead = db.transaction((tx) =>
          ghost = (async () => {
            await insert(tx, "victim");
            await kill(now, await backend(tx));
            await insert(tx, "never").catch((error) => refusals.push(error));
            await later.opened;
            await insert(tx, "ghost").catch((error) => refusals.push(error));
          })()
        );
        const error = await assertRejects(() => dead);
        assert(isConnectionLost(error));

        const undone = db.transaction(async (tx) => {
          await insert(tx, "other");
          const commits = road.seen(commit);
          later.open();
          await ghost;
          assertEquals(road.seen(commit), commits);
          throw new RangeError("undo");
        });
        await assertRejects(() => undone, RangeError);
        assertEquals(await rows(), []);
        assertEquals(refusals.map(isConnectionLost), [true, true]);
        assertEquals([road.seen("ghost"), road.seen(commit)], [0, 0]);
      }));

    it("settles though its work never does", () =>
      scene({ max: 1 }, async (now) => {
        const dead = now.db.transaction(async (tx) => {
          const pid = await backend(tx);
          await kill(now, pid);
          await new Promise(() => {});
        });
        assert(isConnectionLost(await assertRejects(() => dead)));
        assertEquals(await now.db.query("select 1 as one"), [{ one: "1" }]);
      }));

    it("rejects as lost though its work hides it", () =>
      scene({ max: 1 }, async (now) => {
        const dead = now.db.transaction(async (tx) => {
          await kill(now, await backend(tx));
          await tx.query("select 1").catch(() => {});
          return "fine";
        });
        assert(isConnectionLost(await assertRejects(() => dead)));
      }));
  });
}

describe("a transaction on a bad road", () => {
  it("has an unknown outcome when the answer to its commit is lost", () =>
    scene({ max: 1 }, async ({ db, road, rows }) => {
      road.swallowAnswerTo(commit);
      assert(isConnectionLost(await assertRejects(() => db.transaction((tx) => insert(tx, "a")))));
      assertEquals(await rows(), ["a"]);
      assertEquals(road.seen("rollback\0"), 0);
    }));

  it("is given up on at its deadline, whatever its work is doing", () =>
    scene({ max: 1 }, async ({ db, own, rows }) => {
      const stuck = db.transaction(async (tx) => {
        await insert(tx, "a");
        await new Promise(() => {});
      }, { deadline: 100 });
      assert(isConnectionLost(await assertRejects(() => stuck)));
      // The server notices, and its locks are free.
      await own.sql.unsafe("insert into t values ('a')");
      assertEquals(await rows(), ["a"]);
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("loses its session when it idles past the timeout, and the process lives", () =>
    scene(
      { max: 1, settings: { idle_in_transaction_session_timeout: "50" } },
      async ({ db }) => {
        const idle = db.transaction(async (tx) => {
          await insert(tx, "a");
          await new Promise(() => {});
        });
        assert(isConnectionLost(await assertRejects(() => idle)));
        assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
      },
    ));
});
