import {
  done,
  Hephaestus,
  HephaestusError,
  type Sql,
  type Step,
  step,
  type Type,
  type,
  type Workflow,
  workflow,
} from "../../mod.ts";
import { silent } from "../everywhere.ts";
import { policy, trigger } from "./refusing.ts";

/** A way in which a run of the user's code can end. */
export interface Way {
  /** What it does, in the transaction of its result where it is given one. */
  readonly code: (sql: Sql | undefined) => unknown;
  /** What its event carries, where that matters. */
  readonly output?: Type<unknown>;
  readonly timeout?: "200ms";
  /** A statement that makes the database refuse something of this step. */
  readonly refuses?: string;
  readonly ends: "completed" | "failed";
  /** How often it runs; in a transaction a commit that is refused may cost more runs of the callback. */
  readonly runs: number;
  readonly only?: "inside" | "outside";
}

const ok = { event: "ok" };
const never = () => new Promise<never>(() => {});
const failing = (error: unknown) => () => {
  throw error;
};
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const away = new Hephaestus({
  url: "postgres://nobody:none@127.0.0.1:9/none",
  workflows: [],
  logger: silent,
});
const elsewhere = step("elsewhere", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const other = workflow("other", { key: "id", input: type(), start: elsewhere })
  .on(elsewhere, { ok: done })
  .build();

const hanging: Type<unknown> = {
  "~standard": { version: 1, vendor: "test", validate: never },
};
const unreachable: Type<unknown> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: failing(new HephaestusError("DATABASE_UNREACHABLE", "Another one is away")),
  },
};

const result = "new.step_ref = ':name' and new.event = 'ok'";
const story = "new.step_ref = ':name' and new.event = '__failed__'";
const told = "new.step = ':name' and new.errors is not null";

/** Every way: what the code does, and what the database does with what comes of it. */
export const ways: Readonly<Record<string, Way>> = {
  "returns": { code: () => ok, ends: "completed", runs: 1 },
  "returns a thenable": {
    code: () => ({ then: (resolve: (value: unknown) => void) => resolve(ok) }),
    ends: "completed",
    runs: 1,
  },
  "returns what is no outcome": { code: () => 7, ends: "failed", runs: 2 },
  "returns an event that it does not declare": {
    code: () => ({ event: "no" }),
    ends: "failed",
    runs: 2,
  },
  "returns a thenable that refuses": {
    code: () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject("no") }),
    ends: "failed",
    runs: 2,
  },
  "returns a thenable of a thenable that hangs": {
    code: () => ({ then: (resolve: (value: unknown) => void) => resolve({ then: () => {} }) }),
    timeout: "200ms",
    ends: "failed",
    runs: 2,
  },
  "throws": { code: failing(new Error("It fails")), ends: "failed", runs: 2 },
  "throws what speaks of a database": {
    code: failing(new HephaestusError("DATABASE_UNAVAILABLE", "It is full")),
    ends: "failed",
    runs: 2,
  },
  "throws a forged code": {
    code: failing({ code: "DATABASE_UNREACHABLE", message: "I am no error" }),
    ends: "failed",
    runs: 2,
  },
  "throws a request to wait that is none": {
    code: failing(Object.assign(new Error("later"), { code: "RETRY_LATER", after: "soon" })),
    ends: "failed",
    runs: 2,
  },
  "calls another engine that is away": {
    code: () => away.start(other, "one", undefined),
    ends: "failed",
    runs: 2,
  },
  "hangs": { code: never, timeout: "200ms", ends: "failed", runs: 2 },
  "hangs in a statement": {
    code: (sql) => sql!`select pg_sleep(600)`,
    timeout: "200ms",
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "hangs behind a statement": {
    code: async (sql) => {
      await sql!`select 1`;
      await never();
    },
    timeout: "200ms",
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "returns what a schema never judges": {
    code: () => ok,
    output: hanging,
    timeout: "200ms",
    ends: "failed",
    runs: 2,
  },
  "returns what a schema cannot judge": {
    code: () => ok,
    output: unreachable,
    ends: "failed",
    runs: 2,
  },
  "is too slow": {
    code: async () => {
      await wait(2_000);
      return ok;
    },
    timeout: "200ms",
    ends: "failed",
    runs: 2,
  },
  "loses its connection": {
    code: async (sql) => {
      await sql!`select pg_terminate_backend(pg_backend_pid())`;
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "loses its connection and says nothing": {
    code: async (sql) => {
      await sql!`select pg_terminate_backend(pg_backend_pid())`.catch(() => {});
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "runs a statement that is too slow": {
    code: async (sql) => {
      await sql!`set local statement_timeout = 50`;
      await sql!`select pg_sleep(600)`;
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "is idle in its transaction for too long": {
    code: async (sql) => {
      await sql!`set local idle_in_transaction_session_timeout = 50`;
      await wait(300);
      await sql!`select 1`;
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "swallows the error of a statement": {
    code: async (sql) => {
      await sql!`select 1 / 0`.catch(() => {});
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "asks for a deadlock to be resolved": {
    code: failing(Object.assign(new Error("deadlock"), { code: "40P01" })),
    ends: "failed",
    runs: 2,
  },
  "breaks a deferred constraint of its own": {
    code: async (sql) => {
      await sql!`insert into children (parent) values (1)`;
      return ok;
    },
    ends: "failed",
    runs: 2,
    only: "inside",
  },
  "returns a result that a trigger refuses": {
    code: () => ok,
    refuses: trigger("step_results", "insert", result),
    ends: "failed",
    runs: 2,
  },
  "returns a result that a deferred trigger refuses": {
    code: () => ok,
    refuses: trigger("step_results", "insert", result, true),
    ends: "failed",
    runs: 2,
  },
  "returns a result that a policy refuses": {
    code: () => ok,
    refuses: policy("step_results", result.replaceAll("new.", "")),
    ends: "failed",
    runs: 2,
  },
  "returns a result that a constraint refuses": {
    code: () => ok,
    refuses: `alter table hephaestus.step_results
      add constraint ":name" check (step_ref <> ':name' or event <> 'ok')`,
    ends: "failed",
    runs: 2,
  },
  "throws what a trigger refuses to keep": {
    code: failing(new Error("It fails")),
    refuses: trigger("jobs", "update", told),
    ends: "failed",
    runs: 2,
  },
  "throws what a deferred trigger refuses to keep": {
    code: failing(new Error("It fails")),
    refuses: trigger("jobs", "update", told, true),
    ends: "failed",
    runs: 2,
  },
  "throws what a constraint refuses to keep": {
    code: failing(new Error("It fails")),
    refuses: `alter table hephaestus.jobs
      add constraint ":name" check (step <> ':name' or state not in ('retryable', 'discarded'))`,
    ends: "failed",
    runs: 2,
  },
  "throws, and a trigger refuses the story of its step": {
    code: failing(new Error("It fails")),
    refuses: trigger("step_results", "insert", story),
    ends: "failed",
    runs: 2,
  },
  "throws, and a policy refuses the story of its step": {
    code: failing(new Error("It fails")),
    refuses: policy("step_results", story.replaceAll("new.", "")),
    ends: "failed",
    runs: 2,
  },
};

/** The workflow of a way, with what counts its runs. */
export function workflowOf(
  name: string,
  way: Way,
  where: "inside" | "outside",
  ran: (name: string) => void,
): Workflow {
  const only = step(name, {
    events: { ok: way.output ?? type() },
    retry: { attempts: 2, backoff: "constant", base: "1ms" },
    ...(way.timeout && { timeout: way.timeout }),
    // deno-lint-ignore no-explicit-any
    run({ tx }): any {
      ran(name);
      if (where === "outside") return way.code(undefined);
      return tx((sql) => {
        ran(`${name} in tx`);
        return way.code(sql) as never;
      });
    },
  });
  // deno-lint-ignore no-explicit-any
  return (workflow(name, { key: "id", input: type(), start: only as Step }) as any)
    .on(only, { ok: done })
    .build();
}
