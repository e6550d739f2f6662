import { execFileSync } from "node:child_process";
import { chownSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import postgres from "postgres";
import { Hephaestus } from "../../mod.ts";
import { type Server, startServer } from "../../scripts/embedded_postgres.ts";
import { furnish, order, settle, shop } from "../around/shop.ts";
import { eventually, keeping } from "../everywhere.ts";
import { ownServer } from "../pg.ts";
import { proxy } from "../proxy.ts";

/** A server that follows another one, begun as a copy of its files: what is committed on one is on both. */
async function standbyOf(primary: Server): Promise<Server> {
  await primary.stop();
  const directory = `${primary.directory}.standby`;
  execFileSync("cp", ["-a", primary.directory, directory]);
  const { uid, gid } = statSync(directory);
  const append = (file: string, text: string) => {
    writeFileSync(join(directory, file), text, { flag: "a" });
    chownSync(join(directory, file), uid, gid);
  };
  append("standby.signal", "");
  const { hostname, port, username, password } = new URL(primary.url);
  const source = `host=${hostname} port=${port} user=${username} password=${password}`;
  append("postgresql.auto.conf", `primary_conninfo = '${source}'\n`);
  await primary.start();
  const settings = { max_connections: "200" };
  const standby = await startServer({ directory, durable: false, settings });
  const sql = postgres(primary.url, { max: 1 });
  await sql`alter system set synchronous_standby_names = '*'`;
  await sql`select pg_reload_conf()`;
  await eventually(async () => {
    const [row] = await sql`select from pg_stat_replication where sync_state = 'sync'`;
    return row !== undefined;
  }, "the standby follows");
  await sql.end();
  return standby;
}

const working = { poll: "50ms", heartbeat: "200ms", lease: "5s", queues: { default: 10 } } as const;

describe("a standby that takes the place of a primary", () => {
  it("is met as read-only, waited for, and goes on with everything, nothing twice", async () => {
    await using primary = await ownServer();
    await furnish(primary.url);
    await using standby = await standbyOf(primary);
    await using road = await proxy(primary.url);
    const base = "postgres://postgres:postgres@";
    const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`;
    const logger = keeping();
    const options = { workflows: [shop], logger };
    await using one = new Hephaestus({ ...options, url: `${base}${hosts}/postgres` });
    await using two = new Hephaestus({ ...options, url: road.url, inline: false });
    for (const each of [one, two]) await each.work(working).ready;

    const acknowledged = await order(one, 20, "before ");
    const during = [order(one, 20, "one "), order(two, 20, "two ")];
    await primary.stop("immediate");
    road.leadTo(standby.url);
    const sql = postgres(standby.url, { max: 2 });
    await eventually(
      () => logger.said.filter((line) => line.includes("read-only (25006)")).length >= 4,
      "the engines meet a server that is read-only",
    );
    await sql`select pg_promote()`;

    const handles = (await Promise.all(during)).flat();
    await settle(one, sql, acknowledged, { cut: true });
    await settle(two, sql, handles.slice(0, 20), { cut: true });
    await settle(one, sql, handles.slice(20), { cut: true });
    await sql.end();
  });
});
