import process from "node:process";
import {
  again,
  child,
  choice,
  done,
  drop,
  FatalError,
  join,
  RetryLaterError,
  signal,
  step,
  timer,
  type,
  undo,
  workflow,
} from "../../mod.ts";
import { listing, mending } from "./roads_of_lists.ts";

const ok = { ok: type() };
const retry = { attempts: 50, base: "1ms", max: "5ms" } as const;

const check = step("check", { events: ok, run: ({ emit }) => emit.ok() });
const reserve = step("reserve", {
  events: ok,
  run: ({ tx, instance, emit }) =>
    tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'reserve')`;
      return emit.ok();
    }),
});
const flaky = step("flaky", {
  events: ok,
  retry,
  run({ attempt, emit }) {
    if (attempt === 1) throw new Error("Not at the first attempt");
    return emit.ok();
  },
});
let asked = 0;
const patient = step("patient", {
  events: ok,
  retry,
  run({ emit }) {
    if (++asked % 2 === 1) throw new RetryLaterError({ after: "5ms" });
    return emit.ok();
  },
});
const route = choice("route", {
  needs: [flaky.when("ok")],
  events: ok,
  decide: ({ emit }) => emit.ok(),
});
const nap = timer("nap", "20ms");
const parcel = step("parcel", {
  events: { arrived: type<{ at: string }>() },
  async: true,
  run: ({ emit }) => emit.later(),
});
const approval = signal("approval", { events: { approved: type() } });
const ship = step("ship", {
  events: ok,
  needs: [parcel.when("arrived")],
  run: ({ tx, instance, emit }) =>
    tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'ship')`;
      return emit.ok();
    }),
});

/** One step after the other, one of each kind: what happens is not left to chance. */
export const road = workflow("road", { key: "id", input: type(), start: check })
  .on(check, { ok: reserve })
  .on(reserve, { ok: flaky })
  .on(flaky, { ok: patient })
  .on(patient, { ok: route })
  .on(route, { ok: nap })
  .on(nap, { elapsed: parcel })
  .on(parcel, { arrived: approval })
  .on(approval, { approved: ship })
  .on(ship, { ok: done })
  .build();

export const deliveries = {
  parcel: parcel.emit.arrived({ at: "noon" }),
  approval: approval.emit.approved(),
};

const yes = signal("yes", { events: { said: type() } });
const both = signal("both", { events: { said: type() } });
const fork = choice("fork", { events: ok, decide: ({ emit }) => emit.ok() });
const end = step("end", { events: ok, run: ({ emit }) => emit.ok() });

/** Waits for two deliveries from its start on. */
export const asking = workflow("asking", { key: "id", input: type(), start: fork })
  .on(fork, { ok: [yes, both] })
  .on(yes, { said: join(end) })
  .on(both, { said: join(end) })
  .on(end, { ok: done })
  .build();

const more = step("more", { events: ok, run: ({ emit }) => emit.ok() });

/** The same with a step more at the end. */
export const askingMore = workflow("asking", {
  key: "id",
  input: type(),
  start: fork,
  version: 2,
})
  .on(fork, { ok: [yes, both] })
  .on(yes, { said: join(end) })
  .on(both, { said: join(end) })
  .on(end, { ok: more })
  .on(more, { ok: done })
  .build();

export const answers = [yes.emit.said(), both.emit.said()] as const;

const start = choice("start", { events: ok, decide: ({ emit }) => emit.ok() });
export const bad = step("bad", {
  events: ok,
  run() {
    throw new FatalError("This cannot be");
  },
});
const late = timer("late", "1h");

/** Fails in one branch while another one waits. */
export const failing = workflow("failing", { key: "id", input: type(), start })
  .on(start, { ok: [bad, late] })
  .on(bad, { ok: done })
  .on(late, { elapsed: done })
  .build();

const look = step("look", {
  events: ok,
  run: ({ tx, instance, emit }) =>
    tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'look')`;
      return emit.ok();
    }),
});
const miss = bad.as("miss");
const finish = step("finish", { events: ok, run: ({ emit }) => emit.ok() });

/** Leads back from a failure, once. */
export const looping = workflow("looping", { key: "id", input: type(), start: look })
  .on(look, { ok: miss })
  .on(miss, { ok: done, failed: again(look, { limit: 2, then: finish }) })
  .on(finish, { ok: done })
  .build();

const win = step("win", { events: ok, run: ({ emit }) => emit.ok() });
const nudge = timer("nudge", "1d");
/** A turn that drops a branch with a timer. */
export const dropping = workflow("dropping", { key: "id", input: type(), start: look })
  .on(look, { ok: [win, nudge] })
  .on(win, { ok: [finish, drop(nudge)] })
  .on(nudge, { elapsed: done })
  .on(finish, { ok: done })
  .build();

const kept = step("kept", {
  events: ok,
  run: ({ tx, instance, emit }) =>
    tx(async (sql) => {
      await sql`insert into effects (key, step) values (${instance.key}, 'kept')`;
      return emit.ok();
    }),
  undo: {
    ok: ({ tx, instance }) =>
      tx(async (sql) => {
        await sql`insert into effects (key, step) values (${instance.key}, '~kept')`;
      }),
  },
});
const give = step("give", { events: ok, run: ({ emit }) => emit.ok() });
/** Ends by undoing the one thing that it has done, beside a timer. */
export const undoing = workflow("undoing", { key: "id", input: type(), start: kept })
  .on(kept, { ok: [give, nudge] })
  .on(give, { ok: undo })
  .on(nudge, { elapsed: done })
  .build();
/** Undoes what it has done when it is cancelled. */
export const regretting = workflow("regretting", {
  key: "id",
  input: type(),
  start: kept,
  undoOn: ["cancelled"],
})
  .on(kept, { ok: nudge })
  .on(nudge, { elapsed: done })
  .build();

const silence = signal("silence", { events: { broken: type() } });

/** Fails at its deadline, because nobody says anything. */
export const limited = workflow("limited", {
  key: "id",
  input: type(),
  start: silence,
  deadline: "20ms",
})
  .on(silence, { broken: done })
  .build();

const hasty = step("hasty", {
  events: ok,
  retry: { base: "1h", max: "1h" },
  deadline: "10m",
  run() {
    throw new Error("Not today");
  },
});

/** Has a step whose next attempt would begin after its deadline. */
export const hurried = workflow("hurried", { key: "id", input: type(), start: look })
  .on(look, { ok: hasty })
  .on(hasty, { ok: done, failed: finish })
  .on(finish, { ok: done })
  .build();

const hold = step("hold", {
  events: ok,
  queue: "aside",
  async run({ abortSignal, emit }) {
    if (process.argv[1]?.includes("victim")) {
      await new Promise((_, reject) =>
        abortSignal.addEventListener("abort", () => reject(abortSignal.reason))
      );
    }
    return emit.ok();
  },
});

/** Does not end in the process that is killed. */
export const holding = workflow("holding", { key: "id", input: type(), start: hold })
  .on(hold, { ok: done })
  .build();

const small = workflow("small", { key: "id", input: type(), start: look })
  .on(look, { ok: done })
  .build();
const started = child("started", small, { with: () => undefined });

/** Waits for a child. */
export const parent = workflow("parent", { key: "id", input: type(), start: started })
  .on(started, { completed: finish })
  .on(finish, { ok: done })
  .build();

const word = signal("word", { events: { given: type() } });
const endless = workflow("endless", { key: "id", input: type(), start: word })
  .on(word, { given: done })
  .build();
const waiting = child("waiting", endless, { with: () => undefined });

/** Waits for a child that does not end by itself. */
export const left = workflow("left", { key: "id", input: type(), start: waiting })
  .on(waiting, { completed: done })
  .build();

export const workflows = [
  ...[road, asking, askingMore, failing, looping, dropping, undoing, regretting, limited, hurried],
  ...[holding, small, parent, endless, left, listing, mending],
];
