import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { isConnectionLost } from "../../../src/postgres/driver/errors.ts";
import { NotificationListener, type Probe } from "../../../src/postgres/driver/listener.ts";
import { type Database, database } from "../../pg.ts";
import { type Proxy, proxy } from "../../proxy.ts";

interface Scene {
  readonly listener: NotificationListener;
  readonly own: Database;
  readonly road: Proxy;
  readonly heard: string[];
  readonly troubles: unknown[];
  readonly ready: () => number;
  notify(payload: string): Promise<unknown>;
}

const channel = 'a "channel"';
const often: Probe = { every: 20, patience: 200 };
const never: Probe = { every: 3_600_000, patience: 200 };

async function listening(
  play: (scene: Scene) => Promise<void>,
  heartbeat = often,
): Promise<void> {
  await using own = await database();
  await using road = await proxy(own.url);
  const heard: string[] = [];
  const troubles: unknown[] = [];
  let connected = 0;
  const listener = new NotificationListener({ url: road.url }, (error) => {
    troubles.push(error);
    throw new RangeError("mine too");
  }, heartbeat);
  await using _ears = listener.listen(
    channel,
    (payload) => {
      heard.push(payload);
      if (payload === "throw") throw new RangeError("mine");
    },
    () => connected++,
  );
  await holds(() => connected === 1);
  await play({
    listener,
    own,
    road,
    heard,
    troubles,
    ready: () => connected,
    notify: async (payload) => await own.sql`select pg_notify(${channel}, ${payload})`,
  });
}

async function holds(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What breaks, and whether the socket tells: what does not is found by the heartbeat. */
const breaks: Readonly<
  Record<string, { readonly told: boolean; readonly cause: (scene: Scene) => unknown }>
> = {
  "its socket is reset": { told: true, cause: ({ road }) => road.cut() },
  "its session is terminated": {
    told: true,
    cause: async ({ own }) =>
      await own.sql`select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and datname = current_database()
          and application_name = 'hephaestus'`,
  },
  "the server refuses for a while": {
    told: true,
    cause: async ({ road, troubles }) => {
      const before = troubles.length;
      road.refuse(true);
      road.cut();
      await holds(() => troubles.length > before + 1);
      road.refuse(false);
    },
  },
  "its road stalls": {
    told: false,
    cause: async ({ road, troubles }) => {
      // On a busy machine a probe may have been late before.
      const before = troubles.length;
      road.stall(true);
      await holds(() => troubles.length > before);
      road.stall(false);
    },
  },
  "the answers of the server are lost": {
    told: false,
    cause: async ({ road, troubles }) => {
      const before = troubles.length;
      road.deaf(true);
      await holds(() => troubles.length > before);
      road.deaf(false);
    },
  },
};

describe("a listener", () => {
  it("hears what is sent to its channel, in order, and to no other", () =>
    listening(async ({ own, heard, notify }) => {
      await own.sql`select pg_notify('other', 'x')`;
      for (const payload of ["a", "", 'ü "quoted"']) await notify(payload);
      await holds(() => heard.length === 3);
      assertEquals(heard, ["a", "", 'ü "quoted"']);
    }, never));

  it("listens to several channels on one connection, each as long as somebody wants it", () =>
    listening(async ({ own, road, listener, heard, notify }) => {
      const others: string[] = [];
      const said: string[] = [];
      const ready = (who: string) => () => void said.push(who);
      const listen = (channel: string, who: string) =>
        listener.listen(channel, (payload) => others.push(`${who} ${payload}`), ready(who));
      const twin = listen(channel, "twin");
      const other = listen("other", "other");
      await holds(() => said.length === 2);
      await notify("a");
      await own.sql`select pg_notify('other', 'b')`;
      await holds(() => others.length === 2);
      assertEquals([heard, others], [["a"], ["twin a", "other b"]]);

      await other[Symbol.asyncDispose]();
      await twin[Symbol.asyncDispose]();
      await holds(() => road.seen('unlisten "other"') === 1);
      await own.sql`select pg_notify('other', 'c')`;
      await notify("d");
      await holds(() => heard.length === 2);

      assertEquals([others.length, road.open], [2, 1]);
    }, never));

  for (const [what, { told, cause }] of Object.entries(breaks)) {
    it(`listens again when ${what}, and says when to look`, () =>
      listening(async (scene) => {
        for (let round = 1; round <= 2; round++) {
          const before = scene.ready();
          await cause(scene);
          await holds(() => scene.ready() > before);
          // On a busy machine a probe may be late: what is sent while it listens anew is not heard.
          await holds(async () => {
            await scene.notify(`${round}`);
            return scene.heard.at(-1) === `${round}`;
          });
        }
        await holds(() => scene.road.open === 1);
      }, told ? never : often));
  }

  it("listens again when its session no longer does", () =>
    listening(async ({ own, ready, troubles }) => {
      // As behind a pool that gives each transaction another session.
      await own.sql.unsafe(
        `create schema hidden;
         create function hidden.pg_listening_channels() returns setof text language sql as
           'select ''other'''`,
      );
      const name = new URL(own.url).pathname.slice(1);
      await own.sql.unsafe(`alter database ${name} set search_path = hidden, pg_catalog`);
      await own.sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'hephaestus'`;
      await holds(() => ready() > 3);
      assert(troubles.every(isConnectionLost));
    }));

  it("survives owners that throw", () =>
    listening(async ({ heard, troubles, notify, ready }) => {
      await notify("throw");
      await notify("after");
      await holds(() => heard.length === 2);
      assertEquals([troubles.length, ready()], [1, 1]);
    }, never));

  it("ends at once, whatever it is doing", async () => {
    await listening(async ({ road }) => {
      road.stall(true);
      await Promise.resolve();
    }, never);
    const url = "postgres://127.0.0.1:1/x";
    const passwords = [
      () => "secret",
      () => Promise.reject(new RangeError("mine")),
      () => new Promise<string>(() => {}),
    ];
    for (const password of passwords) {
      const ears = new NotificationListener({ url, password }).listen("c", () => {}, () => {});
      await ears[Symbol.asyncDispose]();
    }
  });

  it("refuses the name of a channel that the server would cut short", () => {
    const listener = new NotificationListener({});
    assertThrows(() => listener.listen("ü".repeat(32), () => {}, () => {}), TypeError, "63 bytes");
  });
});
