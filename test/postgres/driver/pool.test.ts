import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  DatabaseError,
  describe as explain,
  isConnectionLost,
} from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { ConnectOptions, Db } from "../../../src/postgres/driver/contract.ts";
import { Pool } from "../../../src/postgres/driver/pool.ts";
import { ownServer, server } from "../../pg.ts";
import { type Proxy, proxy } from "../../proxy.ts";

async function onRoad(options: ConnectOptions, work: (db: Db, road: Proxy) => Promise<void>) {
  await using host = await server();
  await using road = await proxy(host.url);
  const db = connect({ url: road.url, max: 3, ...options });
  try {
    await work(db, road);
  } finally {
    await db.close();
  }
}

async function holds(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const codeOf = async (work: () => Promise<unknown>): Promise<string> =>
  (await assertRejects(work, DatabaseError)).code;

describe("the pool", () => {
  it("never has more connections, nor more statements on one, than it may", () =>
    onRoad({}, async (db, road) => {
      let most = 0;
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const work = i % 3 === 0
            ? db.transaction((tx) => tx.query("select $1::int as i", [`${i}`]))
            : db.query("select $1::int as i", [`${i}`]);
          const [row] = await work;
          most = Math.max(most, road.open);
          return row?.i;
        }),
      );
      assertEquals(answers, answers.map((_, i) => `${i}`));
      assertEquals(most, 3);
    }));

  it("asks nothing of its own and prints no notice", () =>
    onRoad({}, async (db, road) => {
      const { log } = console;
      const printed: unknown[] = [];
      console.log = (...parts: unknown[]) => void printed.push(parts);
      try {
        await db.query("select 1");
        await db.script("do $$ begin raise notice 'mind'; end $$");
      } finally {
        console.log = log;
      }
      assertEquals([printed, road.seen("pg_type")], [[], 0]);
    }));

  it("lends a connection to one transaction at a time", () =>
    onRoad({ max: 2 }, async (db) => {
      const inside = new Map<string, number>();
      await Promise.all(Array.from({ length: 20 }, () =>
        db.transaction(async (tx) => {
          const [row] = await tx.query<{ pid: string }>("select pg_backend_pid() as pid");
          inside.set(row!.pid, (inside.get(row!.pid) ?? 0) + 1);
          assertEquals(inside.get(row!.pid), 1);
          await tx.query("select pg_sleep(0.001)");
          inside.set(row!.pid, 0);
        })));
      assertEquals(inside.size, 2);
    }));

  for (const way of ["stall", "deaf"] as const) {
    it(`gives up at the deadline when the road goes ${way}, and goes on when it is back`, () =>
      onRoad({ max: 2, deadline: 400 }, async (db, road) => {
        await db.query("select 1");
        road[way](true);
        const stuck = [
          db.query("select 1"),
          db.transaction((tx) => tx.query("select 1")),
          db.query("select $1", ["1"]),
        ];
        for (const one of stuck) assertEquals(await codeOf(() => one), "CONNECTION_DEADLINE");
        road[way](false);
        assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
      }));
  }

  it("drops only the connection whose answer did not come", () =>
    onRoad({ max: 2, deadline: 1000 }, async (db, road) => {
      const work = db.transaction(async (tx) => {
        for (let i = 0; i < 25; i++) await tx.query("select pg_sleep(0.05)");
        return "done";
      });
      assertEquals(await codeOf(() => db.query("select pg_sleep(60)")), "CONNECTION_DEADLINE");
      assertEquals(await work, "done");
      await holds(() => road.open === 1);
    }));

  it("goes on after every connection was reset, at rest and at work", () =>
    onRoad({}, async (db, road) => {
      for (let round = 0; round < 5; round++) {
        const work = Promise.allSettled(
          Array.from({ length: 10 }, () => db.query("select pg_sleep(0.05)")),
        );
        await holds(() => road.open > 0);
        road.cut();
        for (const one of await work) {
          assert(one.status === "fulfilled" || isConnectionLost(one.reason));
        }
        road.cut();
        await holds(() => road.open === 0);
      }
      await holds(() => db.query("select 1").then(() => true, () => false));
    }));

  it("says so when the server refuses, and connects once it is there", () =>
    onRoad({}, async (db, road) => {
      road.refuse(true);
      for (let i = 0; i < 5; i++) {
        const error = await assertRejects(() => db.query("select 1"));
        assert(isConnectionLost(error));
        assertEquals(explain(error).code, "DATABASE_UNREACHABLE");
      }
      road.refuse(false);
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("says where nothing listens", async () => {
    const db = connect({ url: "postgres://me:secret@127.0.0.1:1/db" });
    const error = explain(await assertRejects(() => db.query("select 1")));
    assertEquals(
      error.message,
      'Cannot reach the database at "127.0.0.1:1": the connection was refused (ECONNREFUSED)',
    );
    await db.close();
  });

  it("says which account or database is wrong, and never the password", async () => {
    await using host = await server();
    const wrong = (change: (url: URL) => void) => {
      const url = new URL(host.url);
      change(url);
      return url.href;
    };
    const cases = [
      [wrong((url) => url.password = "secret"), "password authentication failed"],
      [wrong((url) => url.username = "nobody"), "nobody"],
      [wrong((url) => url.pathname = "/nowhere"), '"nowhere" does not exist'],
    ] as const;
    for (const [url, sentence] of cases) {
      const db = connect({ url, max: 1 });
      for (let i = 0; i < 3; i++) {
        const error = await assertRejects(() => db.query("select 1"));
        assert(!isConnectionLost(error));
        const told = explain(error);
        assertEquals(told.code, "DATABASE_REFUSED");
        assert(told.message.includes(sentence), told.message);
        assert(!`${told.stack}${told.cause}`.includes("secret"));
      }
      await db.close();
    }
  });

  it("asks for the password at each connection, and survives when there is none", async () => {
    await using host = await server();
    const url = new URL(host.url);
    const { password } = url;
    url.password = "";
    const answers = [
      () => password,
      () => Promise.reject(new RangeError("no token")),
      () => Promise.resolve(password),
    ];
    const db = connect({ url: url.href, max: 1, password: () => answers.shift()!() });
    await assertRejects(() => db.query("select pg_terminate_backend(pg_backend_pid())"));
    await assertRejects(() => db.query("select 1"), RangeError, "no token");
    assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    await db.close();
  });

  it("lets what runs end when it closes, and takes nothing new", () =>
    onRoad({ max: 1 }, async (db, road) => {
      const running = db.query("select pg_sleep(0.1), 1 as one");
      const waiting = db.query("select 2");
      await holds(() => road.seen("pg_sleep") === 1);
      const closed = db.close();
      assertEquals(await codeOf(() => waiting), "DATABASE_CLOSED");
      assertEquals(await codeOf(() => db.query("select 3")), "DATABASE_CLOSED");
      assertEquals((await running)[0]?.one, "1");
      await closed;
      await holds(() => road.open === 0);
      await db.close();
    }));

  it("cuts off what does not end when it closes", () =>
    onRoad({}, async (_, road) => {
      const pool = new Pool({ url: road.url, max: 1 });
      const stuck = pool.use(async (connection) => {
        await connection.send("select 1");
        await connection.send("select pg_sleep(60)");
      });
      const refused = codeOf(() => stuck);
      await holds(() => road.seen("pg_sleep") === 1);
      await pool.close(20);
      assertEquals(await refused, "CONNECTION_ENDED");
      await holds(() => road.open === 0);
    }));

  it("refuses who has waited too long, and says how many connections there are", () =>
    onRoad({
      max: 1,
      patience: 50,
      purpose: { name: "calls", poolSize: 15 },
    }, async (db) => {
      const held = db.transaction((tx) => tx.query("select pg_sleep(0.5)"));
      const error = await assertRejects(
        () => db.query("select 1"),
        DatabaseError,
        "the connection for calls was busy for 50 ms. Raise poolSize, which is 15",
      );
      assertEquals(error.code, "POOL_EXHAUSTED");
      await held;
      assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
    }));

  it("gives back what nobody has used for a while, and opens it again", () =>
    onRoad({ idle: 50 }, async (db, road) => {
      const three = () =>
        Promise.all(Array.from({ length: 3 }, () => db.query("select pg_sleep(0.1)")));
      await three();
      await holds(() => road.open === 0);
      await three();
      await holds(() => road.open === 0);
    }));

  it("gives up on a password that does not come", () =>
    onRoad({
      max: 1,
      url: "postgres://me@127.0.0.1:1/db?connect_timeout=1",
      password: () => new Promise(() => {}),
    }, async (db) => assertEquals(await codeOf(() => db.query("select 1")), "CONNECT_TIMEOUT")));

  it("closes though the road is stalled", () =>
    onRoad({}, async (db, road) => {
      await db.query("select 1");
      road.stall(true);
      await db.close();
      await holds(() => road.open === 0);
    }));
});

describe("the pool, with a server of its own", () => {
  it("survives restarts and too few connections", async () => {
    await using host = await ownServer({
      durable: false,
      settings: { max_connections: "5", superuser_reserved_connections: "0", max_wal_senders: "0" },
    });
    const db = connect({ url: host.url, max: 10 });
    const crowd = await Promise.allSettled(
      Array.from({ length: 10 }, () => db.query("select pg_sleep(0.2)")),
    );
    const refused = crowd.filter((one) => one.status === "rejected").map(({ reason }) => reason);
    assert(refused.length > 0 && refused.length < 10, `${refused.length} refused`);
    for (const error of refused) {
      assertEquals(error.code, "53300");
      assertEquals(explain(error).code, "DATABASE_UNREACHABLE");
    }
    for (const mode of ["fast", "immediate"] as const) {
      const work = Promise.allSettled([
        db.query("select pg_sleep(60)"),
        db.transaction(async (tx) => {
          await tx.query("select 1");
          await new Promise(() => {});
        }),
      ]);
      await db.query("select 1");
      await host.stop(mode);
      for (const one of await work) {
        assert(one.status === "rejected" && isConnectionLost(one.reason));
      }
      assert(isConnectionLost(await assertRejects(() => db.query("select 1"))));
      await host.start();
      await holds(() => db.query("select 1").then(() => true, () => false));
    }
    await db.close();
    await host.remove();
  });
});
