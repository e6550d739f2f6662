// A real PostgreSQL server from npm, for the tests, the examples and the benchmarks.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, realpathSync, statfsSync } from "node:fs";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import {
  type Account,
  type Binaries,
  findBinaries,
  reachableDirectory,
} from "./postgres_binaries.ts";

export interface ServerOptions {
  /** The data directory. */
  readonly directory: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Whether a commit survives a power cut. Default: true. Tests are faster without. */
  readonly durable?: boolean;
  /** Further settings, such as `{ max_connections: "50" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export type StopMode = "smart" | "fast" | "immediate";

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /**
   * The actual data directory: not below a home directory that the server's account cannot read.
   */
  readonly directory: string;
  /** True if it was already running, left over by a process that was killed. */
  readonly adopted: boolean;
  /** Starts it again after `stop`, on the same port. */
  start(): Promise<void>;
  stop(mode?: StopMode): Promise<void>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
}

// A killed server still loses no committed data, because the operating system has it.
const fast = { fsync: "off", full_page_writes: "off" };

/**
 * Starts the server of a data directory, or adopts the one that is running there. Disposing stops
 * it and keeps the data.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const binaries = await findBinaries();
  const directory = reachableDirectory(options.directory, binaries.account);
  if (!existsSync(directory)) await initialise(binaries, directory);

  const settings = { ...(options.durable === false ? fast : {}), ...options.settings };
  const running = await runningPort(directory);
  const port = running ?? await startOn(binaries, directory, settings, options.port);
  const stop = async (mode: StopMode = "fast"): Promise<void> => {
    if (!existsSync(join(directory, "postmaster.pid"))) return;
    await run(binaries.pgCtl, ["stop", "-w", "-D", directory, "-m", mode], binaries.account);
  };
  return {
    url: urlOf(port),
    port,
    directory,
    adopted: running !== undefined,
    start: async () => void await startOn(binaries, directory, settings, port),
    stop,
    remove: async () => {
      await stop("immediate");
      await rm(directory, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}

const roomInMemory = 4 * 2 ** 30;

/**
 * Starts a server whose data may be lost. It stops when this process ends, even if it is killed.
 */
export async function startThrowaway(
  options: Omit<ServerOptions, "directory"> = {},
): Promise<Server> {
  const directory = join(throwawayPlace(), `hephaestus-${randomUUID()}`);
  const watcher = removeAfterThisProcess(directory);
  const settings = { max_connections: "200", ...options.settings };
  const server = await startServer({ durable: false, ...options, directory, settings });
  const remove = async (): Promise<void> => {
    await server.remove();
    watcher?.kill("SIGKILL");
  };
  return { ...server, remove, [Symbol.asyncDispose]: remove };
}

/** In memory if there is space: copying a database takes a third of the time there. */
function throwawayPlace(): string {
  const memory = "/dev/shm";
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize > roomInMemory) return memory;
  } catch {
    // The directory does not exist on this system.
  }
  return tmpdir();
}

/** A restarted server has another process id, so the id is read only when it is needed. */
function removeAfterThisProcess(directory: string): ChildProcess | undefined {
  if (process.platform === "win32") return undefined;
  const watch = `while kill -0 "$PPID"; do sleep 1; done
    kill -QUIT "$(head -n 1 "$0/postmaster.pid")" && sleep 1; rm -rf "$0" "$0".*`;
  const watcher = spawn("sh", ["-c", watch, directory], { detached: true, stdio: "ignore" });
  watcher.unref();
  return watcher;
}

/**
 * Created under another name and then renamed, so that a directory with the final name is always
 * complete.
 */
async function initialise(binaries: Binaries, directory: string): Promise<void> {
  const { account, initdb } = binaries;
  const draft = `${directory}.${process.pid}.new`;
  await mkdir(draft, { recursive: true });
  const password = `${draft}.password`;
  await writeFile(password, "postgres\n", { mode: 0o600 });
  if (account.uid !== undefined) {
    await chown(draft, account.uid, account.gid ?? account.uid);
    await chown(password, account.uid, account.gid ?? account.uid);
  }
  try {
    await run(initdb, [
      `--pgdata=${draft}`,
      "--username=postgres",
      `--pwfile=${password}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ], account);
  } finally {
    await rm(password, { force: true });
  }
  try {
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process may have created it first.
    if (!existsSync(directory)) throw error;
  }
}

async function startOn(
  binaries: Binaries,
  directory: string,
  settings: Readonly<Record<string, string>>,
  wanted: number | undefined,
): Promise<number> {
  for (let tries = 3;; tries--) {
    const port = wanted ?? await freePort();
    const flags = Object.entries({
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      ...settings,
    }).map(([name, value]) => `-c ${name}="${value}"`);
    const log = join(directory, "server.log");
    const args = ["-D", directory, "-l", log, "-t", "60", "-o", `-p ${port} ${flags.join(" ")}`];
    try {
      await run(binaries.pgCtl, ["start", "-w", ...args], binaries.account);
      return port;
    } catch (error) {
      // Another process may have taken the free port in between.
      if (wanted === undefined && tries > 1) continue;
      const said = await readFile(log, "utf8").catch(() => "");
      throw new Error(`${(error as Error).message}\n${said.slice(-2000)}`, { cause: error });
    }
  }
}

/** The port of the server that runs in `directory`, once it has finished starting. */
async function runningPort(directory: string): Promise<number | undefined> {
  for (let tries = 300; tries > 0; tries--) {
    const lines = await readFile(join(directory, "postmaster.pid"), "utf8").catch(() => "");
    const [pid, , , port, , , , state] = lines.split("\n").map((line) => line.trim());
    if (!pid || !isAlive(Number(pid))) return undefined;
    if (state === "ready") return await serves(Number(port), directory) ? Number(port) : undefined;
    await delay(100);
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** After a power cut, the process id in the file may belong to another process. */
async function serves(port: number, directory: string): Promise<boolean> {
  const sql = postgres(urlOf(port), { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [row] = await sql`show data_directory`;
    return realpathSync(row?.data_directory) === realpathSync(directory);
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function urlOf(port: number): string {
  return `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createServer();
    socket.once("error", reject);
    socket.listen(0, "127.0.0.1", () => {
      const address = socket.address();
      socket.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function run(command: string, args: readonly string[], account: Account): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...account,
      cwd: tmpdir(),
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    const hear = (chunk: Uint8Array): void => void (said += chunk);
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Cannot run "${command} ${args[0]}": exit code ${code}\n${said}`));
    });
  });
}
