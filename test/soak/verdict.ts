/** What is measured at the end of an interval. */
export interface Sample {
  readonly [gauge: string]: number;
}

/** How much more a gauge may show in the last third than in the first: a share of it, and a number. */
export interface Allowance {
  readonly share: number;
  readonly more: number;
}

export interface Judged {
  readonly gauge: string;
  readonly first: number;
  readonly last: number;
  readonly grows: boolean;
}

/** Compares the last third of a run with the first. */
export function judge(
  samples: readonly Sample[],
  allowed: { readonly [gauge: string]: Allowance },
): readonly Judged[] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  return Object.entries(allowed).map(([gauge, { share, more }]) => {
    const first = mean(samples.slice(0, third), gauge);
    const last = mean(samples.slice(-third), gauge);
    return { gauge, first, last, grows: !(last <= first * (1 + share) + more) };
  });
}

function mean(samples: readonly Sample[], gauge: string): number {
  const sum = samples.reduce((total, sample) => total + (sample[gauge] ?? NaN), 0);
  return Math.round((sum / samples.length) * 100) / 100;
}
