import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { program, root, send } from "../programs.ts";
import type { Plan } from "./plan.ts";

interface Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly gone: Promise<void>;
  /** Set before it is ended on purpose. */
  ending: "no" | "killed" | "asked";
}

/** The worker processes of a run, each with a place that is filled again when its process is gone. */
export class Fleet implements AsyncDisposable {
  /** What must not happen: a worker that ended by itself, or would not end. */
  readonly failures: string[] = [];
  readonly #places: (Member | undefined)[];
  readonly #urls: readonly string[];
  readonly #plan: Pick<Plan, "inline" | "hostile">;
  readonly #diary: string;
  #started = 0;
  #refilling = true;

  constructor(urls: readonly string[], plan: Pick<Plan, "inline" | "hostile">, diary: string) {
    this.#urls = urls;
    this.#plan = plan;
    this.#diary = diary;
    this.#places = urls.map(() => undefined);
    urls.forEach((_, place) => this.fill(place));
  }

  get names(): readonly string[] {
    return this.#places.flatMap((member) => member?.name ?? []);
  }

  /** Resolves once all work. */
  async ready(): Promise<void> {
    await Promise.all(this.#places.map((member) => member?.ready));
  }

  fill(place: number): void {
    if (this.#places[place] !== undefined || !this.#refilling) return;
    const name = `worker-${place}-${this.#started++}`;
    const args = [this.#urls[place]!, name, String(this.#plan.inline)];
    const child = spawn(process.execPath, [...program("test/faults/worker.ts"), ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", FAULTS_DIARY: this.#diary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr?.on("data", (bytes) => said = `${said}${bytes}`.slice(-4_000));
    if (process.env.FAULTS_LOG) child.stderr?.pipe(process.stderr);
    const gone = new Promise<void>((resolve) =>
      child.once("close", (code, signal) => {
        this.#places[place] = undefined;
        // A worker that has not installed its handler yet dies of the signal.
        const asked = member.ending === "asked" && (code === 0 || signal === "SIGTERM");
        // A step has killed it. What ends a worker on purpose fills its place itself.
        const byItself = this.#plan.hostile && signal === "SIGKILL" && member.ending !== "killed";
        if (byItself) this.fill(place);
        else if (member.ending !== "killed" && !asked) {
          this.failures.push(`${name} ended with ${code ?? signal}: ${said}`);
        }
        resolve();
      })
    );
    const ready = Promise.race([
      gone,
      new Promise((resolve) => child.stdout?.once("data", resolve)),
    ]);
    const member: Member = { name, child, ready, gone, ending: "no" };
    this.#places[place] = member;
  }

  kill(place: number): Promise<void> {
    const member = this.#places[place];
    if (member === undefined) return Promise.resolve();
    member.ending = "killed";
    send(member.child, "SIGKILL");
    return member.gone;
  }

  /** Resolves when it has ended; one that does not within ten seconds is a failure. */
  async ask(place: number): Promise<void> {
    const member = this.#places[place];
    if (member === undefined || member.ending !== "no") return;
    member.ending = "asked";
    send(member.child, "SIGTERM");
    let late: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<"late">((resolve) => late = setTimeout(resolve, 15_000, "late"));
    if (await Promise.race([member.gone, patience]) === "late") {
      this.failures.push(`${member.name} did not end within 15 s of SIGTERM`);
      await this.kill(place);
    }
    clearTimeout(late);
  }

  signal(place: number, signal: "SIGSTOP" | "SIGCONT"): void {
    const member = this.#places[place];
    if (member !== undefined) send(member.child, signal);
  }

  /** Asks all to end, and fills no place again. */
  async stop(): Promise<void> {
    this.#refilling = false;
    await Promise.all(this.#places.map((_, place) => this.ask(place)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#refilling = false;
    await Promise.all(this.#places.map((_, place) => this.kill(place)));
  }
}
