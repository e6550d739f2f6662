import process from "node:process";

const share = Number(process.env.HEPHAESTUS_RUNS ?? 0.3);

/**
 * How many random workflows a property is tried with. `npm test` takes 0.3 of what a planted defect
 * needs to be found with certainty; HEPHAESTUS_RUNS=1 takes all, and 10 ten times as many.
 */
export function runs(all: number): number {
  return Math.ceil(all * share);
}
