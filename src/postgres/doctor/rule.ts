import {
  activationKey,
  hasBegun,
  isActive,
  isFinalStatus,
  isLive,
  jobActivation,
} from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";

/** What a rule has found: the affected ids, and other values for its sentence. */
export interface Found {
  readonly instance: string | null;
  readonly job: string | null;
  readonly process: string | null;
  readonly step: string | null;
  /** Which activation of the step: rounds of loops have others than the first. */
  readonly activation: string | null;
  readonly note: string | null;
}

/**
 * A state that must never be visible. A rule is a single statement, so it sees one snapshot, and it
 * compares only rows that are written in the same transaction. It therefore sees each change of a
 * live system completely or not at all.
 */
export interface Rule {
  readonly name: string;
  /** Selects some of the columns of {@linkcode Found}. */
  readonly sql: (t: Tables) => string;
  readonly sentence: (found: Found) => string;
}

/** The step in a sentence, with its activation where it is not the first. */
export function namedStep({ step, activation }: Found): string {
  return activation === null || activation === "1"
    ? `"${step}"`
    : `"${step}" (activation ${activation})`;
}

export const final: string = isFinalStatus("i.status");
export const live: string = isLive("j");
/**
 * Excludes scheduled deliveries. They may be inserted while their instance ends, and may arrive
 * before their wait, so the rules for steps do not apply to them.
 */
export const ofStep: string =
  `j.kind <> 'advance' and not coalesce(jsonb_exists(j.args, 'delivery'), false)`;
export const stepOfJob: string = `j.step, ${jobActivation("j")} as activation`;
export const stepOfResult: string = "r.step_ref as step, r.activation";
export const jobIsActive: string = `(${isActive("i.control", "j.step", jobActivation("j"))} or ${
  hasBegun("i.control", "j.step", jobActivation("j"))
})`;
export const resultIsActive: string = isActive("i.control", "r.step_ref", "r.activation");
export const resultIsOpen: string = `(${resultIsActive} or ${
  hasBegun("i.control", "r.step_ref", "r.activation")
})`;
export const resultIsEarly: string = `coalesce(i.control -> 'early' ? (${
  activationKey("r.step_ref", "r.activation")
}), false)`;
export const advanceOf = (t: Tables, instance: string): string =>
  `select from ${t.jobs} j where j.instance_id = ${instance} and j.kind = 'advance' and ${live}`;
