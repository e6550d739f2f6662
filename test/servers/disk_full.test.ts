import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { Hephaestus, HephaestusError } from "../../mod.ts";
import { startServer } from "../../scripts/embedded_postgres.ts";
import { furnish, order, settle, shop } from "../around/shop.ts";
import { keeping } from "../everywhere.ts";

/** A disk of its own, a part of the memory. Undefined where nobody may mount one. */
function smallDisk(): (Disposable & { readonly path: string }) | undefined {
  const path = mkdtempSync(join(tmpdir(), "hephaestus-disk-"));
  try {
    execFileSync("chmod", ["755", path]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=777", "tmpfs", path], {
      stdio: "ignore",
    });
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    [Symbol.dispose]() {
      execFileSync("umount", ["--lazy", path]);
      rmSync(path, { recursive: true });
    },
  };
}

/** Takes every byte that is left. */
function fill(file: string): void {
  for (const size of [1_000_000, 4_096]) {
    try {
      for (;;) appendFileSync(file, new Uint8Array(size));
    } catch (error) {
      assertEquals((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
  }
}

function mountable(): boolean {
  using disk = smallDisk();
  return disk !== undefined;
}

const skip = mountable() ? false : "Nobody may mount a disk here: a full one was not tested";
if (skip) console.warn(skip);

describe("a disk that is full, and free again", { skip }, () => {
  for (const inline of [true, false]) {
    it(`costs nothing but time (${inline ? "inline" : "through jobs"})`, async () => {
      using disk = smallDisk()!;
      await using server = await startServer({
        directory: join(disk.path, "data"),
        durable: false,
        settings: { shared_buffers: "16MB", autovacuum: "off", wal_init_zero: "on" },
      });
      await furnish(server.url);
      const sql = postgres(server.url, { max: 2, onnotice: () => {} });
      // Rows need new pages at once.
      for (const table of ["effects", "hephaestus.step_results", "hephaestus.jobs"]) {
        await sql.unsafe(`alter table ${table} set (fillfactor = 10)`);
      }
      const logger = keeping();
      await using hephaestus = new Hephaestus({
        ...{ url: server.url, workflows: [shop], inline, logger },
      });
      await hephaestus.work({ poll: "50ms", heartbeat: "200ms", queues: { default: 10 } }).ready;
      const before = await order(hephaestus, 30, "before ");
      const ballast = join(disk.path, "ballast");

      fill(ballast);
      const during = order(hephaestus, 30, "during ");
      const large = randomBytes(400_000).toString("hex");
      const error = await assertRejects(
        () => hephaestus.start(shop, "large", undefined, { metadata: { large } }),
        HephaestusError,
        "Cannot run a statement now: the database's disk is full (53100)",
      );
      assertEquals(error.code, "DATABASE_UNAVAILABLE");
      rmSync(ballast);

      await settle(hephaestus, sql, [...before, ...await during], { cut: true });
      await sql.end();
    });
  }
});
