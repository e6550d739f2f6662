import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Client, Place } from "./client.ts";
import type { Options } from "./options.ts";
import type { Usage } from "./own_process.ts";

/** A request to a child; it responds in the same order. */
export type Order =
  | { readonly do: "open"; readonly works: boolean; readonly profile?: string | undefined }
  | { readonly do: "start"; readonly prefix: string; readonly from: number; readonly count: number }
  | { readonly do: "usage" | "close" };

/** A message from a child: a response, or how many instances have ended. */
export type Said =
  | { readonly answer: Usage; readonly error?: string }
  | { readonly ended: number; readonly problem?: string };

const program = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** The arguments that run a TypeScript file in the same way as this process. */
function command(): readonly string[] {
  return "Deno" in globalThis
    ? ["run", "--allow-all", "--no-check", program]
    : [...process.execArgv, program];
}

/** A client in another process: requests and responses are lines of JSON. */
export class ChildClient implements Client {
  readonly #child: ChildProcess;
  readonly #answers: ((said: Extract<Said, { answer: unknown }>) => void)[] = [];
  ended = 0;

  constructor(place: Place, options: Options, changed: (problem?: string) => void) {
    this.#child = spawn(process.execPath, [...command(), JSON.stringify({ place, options })], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.once("close", (code) => {
      if (code !== 0) changed(`A child process has ended with ${code ?? "a signal"}`);
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const said = JSON.parse(line) as Said;
      if ("answer" in said) return this.#answers.shift()?.(said);
      this.ended = said.ended;
      changed(said.problem);
    });
  }

  #ask(order: Order): Promise<Usage> {
    return new Promise((resolve, reject) => {
      this.#answers.push(({ answer, error }) => {
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    });
  }

  async open(options: Parameters<Client["open"]>[0]): Promise<void> {
    this.ended = 0;
    await this.#ask({ do: "open", ...options });
  }

  async start(prefix: string, from: number, count: number): Promise<void> {
    await this.#ask({ do: "start", prefix, from, count });
  }

  usage(): Promise<Usage> {
    return this.#ask({ do: "usage" });
  }

  async close(): Promise<void> {
    await this.#ask({ do: "close" });
  }

  exit(): void {
    this.#child.stdin!.end();
  }
}
