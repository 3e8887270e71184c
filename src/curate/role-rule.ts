/**
 * A role's rule: what makes an answer of the role good, told from what happened next. Every file of `roles/` is one, its
 * file name is the role. A worker needs none: the verifier judged what it did.
 */
import type { RunId } from "../records/ids.ts";
import type { Lake } from "../store/lake.ts";

/** Of a label that a rule gave; goes up whenever the same events would give another one. */
export const RULE_VERSION = "1";

export interface RoleRule {
  /** The rule in words, as the dataset's card says it. */
  summary: string;
  /**
   * Returns a query with a row for each turn of the role that can be judged: `run`, `turn`, `passed` (boolean), `value`
   * and `confidence` (fractions), and `rule` (a stable name of what decided). Turns of which nothing can be said are left out.
   */
  labels(lake: Lake, runs: readonly RunId[]): Promise<string>;
}
