/**
 * The skill's card. The salt was chosen once and stays: for its counts (27 train, 10 validation, 18 test families, all six
 * kinds of pattern in each), and so that every form of a field (a step of hours, a range of months, ...) occurs in
 * train. So a held-out pattern is a new composition of known forms.
 */
import type { SkillManifest } from "../../src/skills/contract.ts";

export const FAILURE_MODES = ["no-answer", "parse", "forbidden", "never-fires", "wrong-times", "wrong-days"] as const;

export type FailureMode = (typeof FAILURE_MODES)[number];

export const VERIFIER = { id: "cron-fire-times", version: "1" };

export const manifest: SkillManifest = {
  id: "cron",
  version: "1",
  description: "Write the five cron fields of a schedule that is told in words, judged by its fire times.",
  salt: "cron-families-12463",
  splitFractions: { train: 0.5, validation: 0.12, test: 0.38 },
  failureModes: FAILURE_MODES,
  verifier: VERIFIER,
  maxTokens: 32,
};
