import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import process from "node:process";
import { again } from "./engine.ts";

/** Worker processes. One that dies is replaced. */
export class Fleet implements AsyncDisposable {
  readonly #url: string;
  readonly #size: number;
  readonly #ready = new Set<ChildProcess>();
  readonly #all = new Set<ChildProcess>();
  readonly #failure: Promise<never>;
  #fail: (error: Error) => void = () => {};
  #stopping = false;
  #kills = 0;

  constructor(url: string, size: number) {
    this.#url = url;
    this.#size = size;
    this.#failure = new Promise((_, reject) => this.#fail = reject);
    this.#failure.catch(() => {});
    for (let i = 0; i < size; i++) this.#spawn();
  }

  /** How many processes were killed. */
  get kills(): number {
    return this.#kills;
  }

  /** Rejects when a process ends without being told to. */
  get failure(): Promise<never> {
    return this.#failure;
  }

  #spawn(): void {
    const child = spawn(process.execPath, [...again, "--worker"], {
      env: { ...process.env, DATABASE_URL: this.#url },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#all.add(child);
    child.stdout.once("data", () => this.#ready.add(child));
    child.stdin.on("error", () => {});
    child.once("error", this.#fail);
    child.once("exit", (code) => {
      this.#all.delete(child);
      this.#ready.delete(child);
      if (this.#stopping) return;
      if (code === null || child.killed) this.#spawn();
      else this.#fail(new Error(`Cannot continue: a worker exited unexpectedly with code ${code}`));
    });
  }

  /**
   * Kills a random process as soon as one is ready, and again whenever all are back, until the
   * signal aborts.
   */
  async harass(signal: AbortSignal): Promise<void> {
    const pause = (milliseconds: number) =>
      delay(milliseconds, undefined, { signal }).catch(() => {});
    for (let first = true; !signal.aborted; first = false) {
      const enough = first ? 1 : this.#size;
      while (this.#ready.size < enough && !signal.aborted) await pause(50);
      await pause(first ? 200 : 500 + 1_500 * Math.random());
      if (!signal.aborted) this.#killOne();
    }
  }

  #killOne(): void {
    const workers = [...this.#ready];
    const victim = workers[Math.floor(Math.random() * workers.length)];
    if (victim === undefined) return;
    this.#ready.delete(victim);
    victim.kill("SIGKILL");
    this.#kills++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#all].map((child) => this.#end(child)));
  }

  async #end(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin?.end();
    const patience = setTimeout(() => child.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(patience);
  }
}
