import {
  again,
  done,
  drop,
  join,
  signal,
  step,
  timer,
  type,
  versioned,
  type Workflow,
  workflow,
} from "../../mod.ts";

const ok = { events: { ok: type() } };
const work = step("work", { ...ok, run: ({ emit }) => emit.ok() });
const [fork, pack, last, audit] = [
  work.as("fork"),
  work.as("pack"),
  work.as("last"),
  work.as("audit"),
];
export const [left, right, slow] = [signal("left", ok), signal("right", ok), signal("slow", ok)];
const boss = signal("boss", ok);
const named = { key: "id", input: type<{ n: number }>(), start: fork } as const;

export const before = workflow("order", named)
  .on(fork, { ok: [left, right] })
  .on(left, { ok: join(last) })
  .on(right, { ok: join(last) })
  .on(last, { ok: done })
  .build();
/** A step more at the end, and one more behind "right". */
const longer = workflow("order", named)
  .on(fork, { ok: [left, right] })
  .on(left, { ok: join(last) })
  .on(right, { ok: pack })
  .on(pack, { ok: join(last) })
  .on(last, { ok: audit })
  .on(audit, { ok: done })
  .build();
/** Another signal in the place of "right". */
export const replaced = workflow("order", named)
  .on(fork, { ok: [left, boss] })
  .on(left, { ok: join(last) })
  .on(boss, { ok: join(last) })
  .on(last, { ok: done })
  .build();
export const order = versioned("order", {
  versions: { 1: before, 2: longer, 3: replaced },
  current: 2,
});

const nap = timer("nap", "5ms");
/** Waits for "left" and then for "slow". Version 2 packs at the end. */
export const trip = (version: 1 | 2): Workflow<"trip"> => {
  const begun = workflow("trip", { ...named, version })
    .on(fork, { ok: nap })
    .on(nap, { elapsed: left })
    .on(left, { ok: slow });
  return version === 1
    ? begun.on(slow, { ok: done }).build()
    : begun.on(slow, { ok: pack }).on(pack, { ok: done }).build();
};

export const review = signal("review", { events: { yes: type(), no: type() } });
const draft = (limit: number) =>
  workflow("article", named)
    .on(fork, { ok: review })
    .on(review, { yes: pack, no: again(fork, { limit, then: done }) })
    .on(pack, { ok: done })
    .build();
/** The same loop with other limits. */
export const article = versioned("article", {
  versions: { 1: draft(5), 2: draft(9), 3: draft(2) },
  current: 2,
});

const day = timer("day", "1d");
/** A reminder, which the click drops. In version 2, something follows in each branch. */
export const onboarding = versioned("onboarding", {
  versions: {
    1: workflow("onboarding", named)
      .on(fork, { ok: [left, day] })
      .on(left, { ok: [slow, drop(day)] })
      .on(day, { elapsed: done })
      .on(slow, { ok: done })
      .build(),
    2: workflow("onboarding", named)
      .on(fork, { ok: [left, day] })
      .on(left, { ok: [slow, drop(day)] })
      .on(day, { elapsed: pack })
      .on(pack, { ok: done })
      .on(slow, { ok: last })
      .on(last, { ok: done })
      .build(),
  },
  current: 2,
});
