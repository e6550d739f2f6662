import { spawn } from "node:child_process";
import process from "node:process";
import { program, root, send, type Sent } from "../programs.ts";

/** What a child has told, and the data with it. */
export interface Told {
  readonly message: string;
  readonly [datum: string]: unknown;
}

/** A process of a test. */
export interface Child extends AsyncDisposable {
  /** The lines of JSON on its stdout so far. */
  readonly told: readonly Told[];
  send(signal: Sent): void;
  /** Resolves with its code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** The first line that begins so and is the one meant, once it is there. Rejects when the child ends without it. */
  heard(message: string, meant?: (told: Told) => boolean): Promise<Told>;
}

/** Starts a program of the tests. Killed when disposed. */
export function child(source: string, ...args: readonly string[]): Child {
  const started = spawn(process.execPath, [...program(source), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told: Told[] = [];
  const listeners = new Set<() => void>();
  let rest = "";
  let complaint = "";
  started.stderr.on("data", (chunk) => complaint += chunk);
  started.stdout.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) told.push(JSON.parse(line));
    for (const listener of listeners) listener();
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    started.once("error", reject);
    started.once("close", (code, signal) => resolve(code ?? signal!));
  });
  return {
    send: (signal) => send(started, signal),
    told,
    ended,
    heard: (message, meant = () => true) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = told.find((line) => line.message.startsWith(message) && meant(line));
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then((how) => reject(new Error(`The child ended with ${how}: ${complaint}`)));
      }),
    async [Symbol.asyncDispose]() {
      send(started, "SIGKILL");
      await ended;
    },
  };
}
