/**
 * The skill's card. The salt was chosen once for its counts (19 train, 4 validation, 13 test families) and stays.
 */
import type { SkillManifest } from "../../src/skills/contract.ts";

export const FAILURE_MODES = [
  "no-sql",
  "parse",
  "runtime",
  "timeout",
  "wrong-rows",
  "wrong-columns",
  "forbidden",
] as const;

export type FailureMode = (typeof FAILURE_MODES)[number];

export const VERIFIER = { id: "sql-result-set", version: "1" };

export const manifest: SkillManifest = {
  id: "sql",
  version: "1",
  description: "Answer a question about one or two tables with one SQL query, judged by its result set.",
  salt: "sql-families-9",
  splitFractions: { train: 0.5, validation: 0.12, test: 0.38 },
  failureModes: FAILURE_MODES,
  verifier: VERIFIER,
  maxTokens: 48,
};
