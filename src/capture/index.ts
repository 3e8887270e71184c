/** Other agents' calls and files as runs: the recording proxy, outcomes, seals, imports. */
export { type AgentRunResult, runAgent } from "./agent-run.ts";
export { hasRecordedCalls, verdictsOnAnswers } from "./answer-verdicts.ts";
export { readFamilyRule } from "./family-rule.ts";
export { type ImportReport, importFiles } from "./import-files.ts";
export { auditLabels, type LabelAudit } from "./label-audit.ts";
export { checkRepository, readLabels, verdictsInCheckouts } from "./label-run.ts";
export {
  checkSealed,
  type GivenOutcome,
  giveOutcome,
  giveVerdicts,
  type Judged,
  type JudgedRun,
  judgedRun,
  runCalled,
} from "./late-verdicts.ts";
export { sealLeftRun } from "./left-run.ts";
export { readOutcome } from "./outcome.ts";
export type { SealedRecording } from "./recorded-run.ts";
export { type RecordOptions, type RunningProxy, startRecording } from "./recording.ts";
export { isReplayableRun, type ReverifyReport, reverify } from "./reverify.ts";
