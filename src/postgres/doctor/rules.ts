import type { Rule } from "./rule.ts";
import { telling } from "./rules_of_history.ts";
import { driving, owning } from "./rules_of_jobs.ts";

/** All rules, in the order in which their findings are told. */
export const rules: readonly Rule[] = [...driving, ...owning, ...telling];
