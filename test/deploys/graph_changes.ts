import {
  done,
  first,
  join,
  signal,
  step,
  timer,
  type,
  type Workflow,
  workflow,
} from "../../mod.ts";

export const event = { ok: type() };
export const work = step("work", { events: event, run: ({ emit }) => emit.ok() });
export const fork = work.as("fork");
export const last = work.as("last");
const check = work.as("check");
export const left = signal("left", { events: event });
export const right = signal("right", { events: event });
export const third = signal("third", { events: event });

export const named = { key: "id", input: type(), start: fork } as const;
export const order = workflow("order", named)
  .on(fork, { ok: [left, right] })
  .on(left, { ok: join(last) })
  .on(right, { ok: join(last) })
  .on(last, { ok: done })
  .build();

export interface Change {
  readonly name: string;
  readonly before?: Workflow<"order">;
  readonly after: Workflow<"order">;
  /** What the sentence says. */
  readonly changes: readonly string[];
}

const later = step("later", { async: true, events: event, run: ({ emit }) => emit.later() });
const prompt = step("later", { events: event, run: ({ emit }) => emit.ok() });
const nap = timer("nap", "1h");
const awaited = signal("nap", { events: { elapsed: type() } });
const answer = signal("left", { events: { yes: type() } });
const both = signal("left", { events: { ok: type(), no: type() } });

export const changes: readonly Change[] = [
  {
    name: "a branch is added to a join that is half arrived",
    after: workflow("order", named)
      .on(fork, { ok: [left, right, third] })
      .on(left, { ok: join(last) })
      .on(right, { ok: join(last) })
      .on(third, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ['signal "third" was added'],
  },
  {
    name: "a step is added that a later one needs",
    after: workflow("order", named)
      .on(fork, { ok: check })
      .on(check, { ok: [left, right] })
      .on(left, { ok: join(last) })
      .on(right, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: [
      'step "check" was added',
      'event "ok" of "fork" leads to "check" instead of "left" and "right"',
    ],
  },
  {
    name: "a step is added at the end",
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: join(last) })
      .on(right, { ok: join(last) })
      .on(last, { ok: check })
      .on(check, { ok: done })
      .build(),
    changes: ['step "check" was added'],
  },
  {
    name: "the active signal is renamed",
    after: workflow("order", named)
      .on(fork, { ok: [left, third] })
      .on(left, { ok: join(last) })
      .on(third, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ['signal "right" was replaced by "third"'],
  },
  {
    name: "a step is removed",
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: done })
      .on(right, { ok: done })
      .build(),
    changes: ['step "last" was removed'],
  },
  {
    name: "a step that is yet to come is renamed",
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: join(check) })
      .on(right, { ok: join(check) })
      .on(check, { ok: done })
      .build(),
    changes: ['step "last" was replaced by "check"'],
  },
  {
    name: "the first step is another one",
    after: workflow("order", { ...named, start: check })
      .on(check, { ok: fork })
      .on(fork, { ok: [left, right] })
      .on(left, { ok: join(last) })
      .on(right, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ['step "check" was added'],
  },
  {
    name: "an event is renamed",
    after: workflow("order", named)
      .on(fork, { ok: [answer, right] })
      .on(answer, { yes: join(last) })
      .on(right, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ['event "ok" of "left" was removed', 'event "yes" of "left" was added'],
  },
  {
    name: "an event is added",
    after: workflow("order", named)
      .on(fork, { ok: [both, right] })
      .on(both, { ok: join(last), no: done })
      .on(right, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ['event "no" of "left" was added'],
  },
  {
    name: "a join becomes a first",
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: first(last) })
      .on(right, { ok: first(last) })
      .on(last, { ok: done })
      .build(),
    changes: [
      'event "ok" of "left" leads to first "last" instead of join "last"',
      'event "ok" of "right" leads to first "last" instead of join "last"',
    ],
  },
  {
    name: "an event leads elsewhere",
    before: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: check })
      .on(right, { ok: last })
      .on(check, { ok: done })
      .on(last, { ok: done })
      .build(),
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(left, { ok: [check, last] })
      .on(right, { ok: done })
      .on(check, { ok: done })
      .on(last, { ok: done })
      .build(),
    changes: [
      'event "ok" of "left" leads to "check" and "last" instead of "check"',
      'event "ok" of "right" leads to done instead of "last"',
    ],
  },
  {
    name: "the rows stand in another order",
    after: workflow("order", named)
      .on(fork, { ok: [left, right] })
      .on(right, { ok: join(last) })
      .on(left, { ok: join(last) })
      .on(last, { ok: done })
      .build(),
    changes: ["its rows are in a different order"],
  },
  {
    name: "a signal becomes a timer",
    before: workflow("order", { ...named, start: awaited }).on(awaited, { elapsed: done }).build(),
    after: workflow("order", { ...named, start: nap }).on(nap, { elapsed: done }).build(),
    changes: ['"nap" is a timer instead of a signal'],
  },
  {
    name: "a timer becomes a signal",
    before: workflow("order", { ...named, start: nap }).on(nap, { elapsed: done }).build(),
    after: workflow("order", { ...named, start: awaited }).on(awaited, { elapsed: done }).build(),
    changes: ['"nap" is a signal instead of a timer'],
  },
  {
    name: "a step becomes asynchronous no more",
    before: workflow("order", { ...named, start: later }).on(later, { ok: done }).build(),
    after: workflow("order", { ...named, start: prompt }).on(prompt, { ok: done }).build(),
    changes: ['step "later" is no longer asynchronous'],
  },
];
