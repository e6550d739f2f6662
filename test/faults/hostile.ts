import process from "node:process";
import { done, step, type, workflow } from "../../mod.ts";
import { flows } from "./flow.ts";
import { doomedAttempts, note } from "./steps.ts";
import { all, begin, beside } from "./workflows.ts";

interface Input {
  readonly n: number;
}

/** What a step may do to those beside it: each of them fails, as often as it has attempts, and its instance with it. */
const ways: readonly ((input: Input) => unknown)[] = [
  () => new Promise(() => {}),
  () => process.kill(process.pid, "SIGKILL"),
  () => ({ event: "ok", output: "a\0b" }),
  () => ({ event: "ok", output: 1n }),
  () => {
    throw new Error("\u{1f4a5} a\0b \ud800");
  },
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    throw proxy;
  },
  (input) => Object.assign(input, { n: 2 }),
  () => ({
    then(resolve: (value: unknown) => void) {
      resolve(this);
    },
  }),
  () => ({
    get then() {
      throw new Error("It cannot be read");
    },
  }),
  () => ({ transaction: () => new Promise(() => {}) }),
  () => ({
    transaction: (sql: (text: TemplateStringsArray) => unknown) =>
      sql`select pg_terminate_backend(pg_backend_pid())`,
  }),
  () => ({ transaction: (sql: (text: TemplateStringsArray) => unknown) => sql`select 1 / 0` }),
];

const hostile = step("hostile", {
  input: type<Input>(),
  events: { ok: type<number>() },
  timeout: "300ms",
  retry: { attempts: doomedAttempts, backoff: "constant", base: "10ms" },
  run({ instance, attempt, input }) {
    note(instance.id, "hostile", attempt);
    return ways[Number.parseInt(instance.id.slice(-4), 16) % ways.length]!(input) as never;
  },
});
export const hostiles = workflow("hostile", { key: "id", input: type<Input>(), start: begin })
  .on(begin, { ok: [beside, hostile] })
  .on(beside, { ok: done })
  .on(hostile, { ok: done })
  .build();

export const everything = { ...all, ...flows, hostile: hostiles } as const;
