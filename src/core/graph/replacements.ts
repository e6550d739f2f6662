import type { Arrival, StepKind } from "./graph.ts";

/** What tells the place of a step in its graph. */
interface PlacedStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly asynchronous: boolean;
  readonly moves: Readonly<Record<string, readonly Arrival[]>>;
}

/**
 * The steps that only the old graph has and whose place another step takes in the new one, as a
 * step that was renamed does: the same kind, the same events, and the same steps around it.
 */
export function replacements(
  before: readonly PlacedStep[],
  after: readonly PlacedStep[],
): ReadonlyMap<string, string> {
  const [old, now] = [before, after].map((steps) => new Set(steps.map(({ name }) => name)));
  const inBoth = (name: string) => old!.has(name) && now!.has(name);
  const added = after.filter(({ name }) => !old!.has(name));
  const found = new Map<string, string>();
  for (const step of before.filter(({ name }) => !now!.has(name))) {
    const place = placeOf(step, before, inBoth);
    const same = added.filter((one) => placeOf(one, after, inBoth) === place);
    const [only] = same;
    if (only === undefined || same.length > 1) continue;
    if ([...found.values()].includes(only.name)) continue;
    found.set(step.name, only.name);
  }
  return found;
}

function placeOf(
  { name, kind, asynchronous, moves }: PlacedStep,
  steps: readonly PlacedStep[],
  inBoth: (name: string) => boolean,
): string {
  const above = steps.filter((step) => inBoth(step.name)).flatMap((step) =>
    Object.entries(step.moves).flatMap(([event, arrivals]) =>
      arrivals.filter(({ to }) => to === name).map(({ mode }) => [step.name, event, mode].join())
    )
  );
  const below = Object.entries(moves).map(([event, arrivals]) => {
    const targets = arrivals.filter(({ to }) => inBoth(to)).map(({ to, mode }) => `${mode} ${to}`);
    return [event, ...targets.sort()].join();
  });
  return JSON.stringify([kind, asynchronous, steps[0]?.name === name, above.sort(), below.sort()]);
}
