/** Validation: plan a paired comparison on held-out families, then put every axis of the gate to the candidate. */
export { klEvidence, measureGeneralAbility } from "./ability/general-ability.ts";
export { loadGeneralSets, type NamedSet, plannedSets } from "./ability/general-sets.ts";
export { type GeneralEvidence, perWhat } from "./ability/paired-scores.ts";
export { type ArmRun, sampleSeed } from "./arm-outcomes.ts";
export { compareRuns, type UnrandomisedComparison } from "./compare-runs.ts";
export { decide, decideBeforehand, type Found, leftOutSentence } from "./decide.ts";
export { renderDecision, renderUnrandomised } from "./decision-text.ts";
export { earlierSpread, earlierTexts } from "./earlier-spread.ts";
export { earlyGatePower } from "./early-power.ts";
export { type ForeignAxes, foreignAxes } from "./foreign-results.ts";
export { readGate } from "./gate-file.ts";
export { nextUse, refuseOtherPlan, writePlan, writePlanToRefuse } from "./plan.ts";
export { LOOKS, type Watch, watchPairs } from "./sequential.ts";
