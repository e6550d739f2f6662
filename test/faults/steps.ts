import { appendFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { step, type } from "../../mod.ts";

/** Attempts of a step that must not be given up however often its process dies. */
export const patience = 60;
export const doomedAttempts = 2;

export const retry = { attempts: patience, backoff: "constant", base: "20ms" } as const;
const diary = process.env.FAULTS_DIARY;

/** An effect outside of the database: a line that remains when the process is killed. */
export function note(instance: string, step: string, attempt: number, activation = 1): void {
  if (diary) appendFileSync(diary, `${instance} ${step} ${attempt} ${activation}\n`);
}

/** Only computes; fails at its first attempt for some instances. */
export const plain = <const Name extends string>(name: Name, flaky = false) =>
  step(name, {
    events: { ok: type<number>() },
    retry,
    async run({ instance, attempt, activation, emit }) {
      note(instance.id, name, attempt, activation);
      await pause((attempt * 7) % 30);
      if (flaky && attempt === 1 && instance.id.charCodeAt(35) % 3 === 0) {
        throw new Error("It fails once");
      }
      return emit.ok(attempt);
    },
  });

/** Writes to the database in the transaction of its result; the table accepts it twice. */
export const writing = <const Name extends string>(name: Name) =>
  step(name, {
    events: { ok: type<number>() },
    retry,
    async run({ instance, attempt, activation, tx, emit }) {
      note(instance.id, name, attempt, activation);
      await pause((attempt * 11) % 40);
      return tx(async (sql) => {
        await sql`insert into effects (instance, step, activation, attempt)
          values (${instance.id}, ${name}, ${activation}, ${attempt})`;
        return emit.ok(attempt);
      });
    },
  });

/** The same, and is undone in the same way. */
export const undoable = <const Name extends string>(name: Name) =>
  step(name, {
    events: { ok: type<number>() },
    retry,
    async run({ instance, attempt, activation, tx, emit }) {
      note(instance.id, name, attempt, activation);
      await pause((attempt * 11) % 40);
      return tx(async (sql) => {
        await sql`insert into effects (instance, step, activation, attempt)
          values (${instance.id}, ${name}, ${activation}, ${attempt})`;
        return emit.ok(attempt);
      });
    },
    undo: {
      async ok({ instance, attempt, activation, tx }) {
        note(instance.id, `~${name}`, attempt, activation);
        await pause((attempt * 7) % 20);
        return tx(async (sql) => {
          await sql`insert into effects (instance, step, activation, attempt)
            values (${instance.id}, ${`~${name}`}, ${activation}, ${attempt})`;
        });
      },
    },
    undoRetry: retry,
  });

/** A digit that differs between instances and stays the same in each process. */
export const digitOf = ({ id }: { readonly id: string }) => Number.parseInt(id.at(-1)!, 16);

export const input = type<{ readonly n: number }>();
export const key = "id";

/** Fails in each of its attempts. */
export const fail = step("fail", {
  events: { ok: type() },
  retry: { attempts: doomedAttempts, backoff: "constant", base: "10ms" },
  run({ instance, attempt, activation, idempotencyKey }) {
    const [, name = ""] = idempotencyKey.split("/");
    note(instance.id, name, attempt, activation);
    throw new Error("It always fails");
  },
});
