import process from "node:process";
import { done, step, type, workflow } from "../../mod.ts";

/** What a step does to its process. */
export type Hazard = "none" | "exit" | "kill" | "throw" | "reject" | "block" | "gate";

/** What a worker of the tests puts in: a step that harms its process asks first where it is. */
export const here: {
  /** Harm is done in worker processes only. */
  hazardous: boolean;
  ran(key: string, attempt: number): Promise<void>;
  gateOpened(): Promise<void>;
} = { hazardous: false, ran: () => Promise.resolve(), gateOpened: () => Promise.resolve() };

const forever = () => new Promise<never>(() => {});

const hazards: { readonly [hazard in Hazard]: () => unknown } = {
  none: () => {},
  exit: () => process.exit(3),
  kill: () => (process.kill(process.pid, "SIGKILL"), forever()),
  throw: () => (setTimeout(() => {
    throw new Error("thrown in a timer");
  }, 1),
    forever()),
  reject: () => (void Promise.reject(new Error("rejected and not handled")), forever()),
  block() {
    const end = performance.now() + 2_500;
    while (performance.now() < end);
  },
  gate: () => here.gateOpened(),
};

const act = step("act", {
  input: type<{ readonly hazard: Hazard }>(),
  events: { ok: type<number>() },
  retry: { attempts: 2, base: "1ms", max: "5ms" },
  async run({ input, attempt, instance, tx, emit }) {
    await here.ran(instance.key, attempt);
    if (here.hazardous) await hazards[input.hazard]();
    return tx(async (sql) => {
      await sql`insert into effects (key, attempt) values (${instance.key}, ${attempt})`;
      return emit.ok(attempt);
    });
  },
});

export const hazardous = workflow("hazardous", {
  key: "id",
  input: type<{ readonly hazard: Hazard }>(),
  start: act,
}).on(act, { ok: done }).build();

/** What the steps note down. */
export const tables = `create table runs (key text, attempt int);
  create table effects (key text, attempt int);
  create table gate (opened boolean)`;
