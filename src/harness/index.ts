/**
 * The harness: runs a skill's items through the loop of roles and writes the run log.
 */
export { type Consolidation, consolidate } from "./consolidate.ts";
export { type CreditedTip, type CreditOptions, creditedTips } from "./credited-tips.ts";
export type { Endpoint } from "./endpoint.ts";
export type { HarnessOptions, RunProgress, RunResult } from "./harness-options.ts";
export type { TipRun } from "./memory.ts";
export { readRunStart } from "./open-run.ts";
export { harmfulTips, type ProposedRetirement, uselessTips } from "./retire-tips.ts";
export { rulesOf } from "./rules.ts";
export { mergedReason } from "./run-end.ts";
export { runHarness } from "./run-harness.ts";
export { readServedModels, type ServedModel } from "./served-models.ts";
