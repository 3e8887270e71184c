/**
 * The skill's card. The salt was chosen once for its counts of families among the attainable rules and stays.
 */
import type { SkillManifest } from "../../src/skills/contract.ts";

export const FAILURE_MODES = [
  "no-script",
  "bad-arguments",
  "not-fixed",
  "not-applicable",
  "scan-error",
  "regression",
  "broken-syntax",
  "sandbox-timeout",
  "touched-scanner",
  "too-many-changes",
] as const;

export type FailureMode = (typeof FAILURE_MODES)[number];

export const VERIFIER = { id: "stig-openscap", version: "1" };

export const manifest: SkillManifest = {
  id: "stig",
  version: "1",
  description: "Make a host pass one STIG rule with one bash script, judged by real OpenSCAP scans in a sandbox.",
  salt: "stig-families-16",
  splitFractions: { train: 0.5, validation: 0.12, test: 0.38 },
  failureModes: FAILURE_MODES,
  verifier: VERIFIER,
  maxTokens: 160,
};
