import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { Hephaestus } from "../../mod.ts";
import { freePort } from "../../scripts/embedded_postgres.ts";
import { eventually, silent } from "../everywhere.ts";
import { migrated } from "../pg.ts";
import { order, settle, shop } from "./shop.ts";

function installed(): boolean {
  try {
    execFileSync("pgbouncer", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

interface Bouncer extends AsyncDisposable {
  readonly url: string;
}

/** PgBouncer in transaction mode before a server, with fewer connections to it than the engine has. */
async function bouncer(url: string): Promise<Bouncer> {
  const directory = mkdtempSync(join(tmpdir(), "hephaestus-pgbouncer-"));
  const { hostname, port, username, password } = new URL(url);
  const own = await freePort();
  const users = join(directory, "users.txt");
  const configuration = join(directory, "pgbouncer.ini");
  writeFileSync(users, `"${username}" "${password}"\n`);
  writeFileSync(
    configuration,
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = 4
server_lifetime = 1
`,
  );
  const asRoot = process.getuid?.() === 0;
  if (asRoot) execFileSync("chown", ["-R", "nobody", directory]);
  const user = asRoot ? ["--user", "nobody"] : [];
  const child: ChildProcess = spawn("pgbouncer", ["--quiet", ...user, configuration], {
    stdio: "ignore",
  });
  const through = new URL(url);
  through.port = String(own);
  const sql = postgres(through.href, { max: 1, prepare: false, onnotice: () => {} });
  await eventually(() => sql`select 1`.then(() => true, () => false), "PgBouncer answers");
  await sql.end();
  return {
    url: through.href,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const skip = installed() ? false : "PgBouncer is not installed: nothing of it was tested";
if (skip) console.warn(skip);

describe("an engine behind PgBouncer in transaction mode", { skip }, () => {
  for (const inline of [true, false]) {
    it(`carries whole stories to their end (${inline ? "inline" : "through jobs"})`, async () => {
      await using database = await migrated();
      await database.sql`create table effects (key text, step text)`;
      await using pool = await bouncer(database.url);
      const options = { url: pool.url, workflows: [shop], inline, prepare: false, notify: false };
      await using one = new Hephaestus({ ...options, logger: silent });
      await using two = new Hephaestus({ ...options, logger: silent });
      for (const each of [one, two]) {
        await each.work({ poll: "50ms", queues: { default: 10 } }).ready;
      }

      const handles = await order(one, 40);
      const cancelled = await one.start(shop, "cancelled", undefined);
      await one.cancel(shop, "cancelled", { reason: "changed my mind" });

      assertEquals((await cancelled.result()).status, "cancelled");
      await settle(two, database.sql, handles);
    });
  }
});
