/** Curation: from the lake's examples to a selection whose every refusal has a reason. */
export { plainText } from "./answer.ts";
export { type Coverage, readCoverage } from "./coverage.ts";
export { parseFilter } from "./expression.ts";
export { formatFilter, withoutOutcome } from "./filter-tree.ts";
export { loadFilters } from "./gates.ts";
export { isOwnServer, UNNAMED_TEACHER } from "./hosted-models.ts";
export { joinedSelections } from "./joined-selections.ts";
export { OTHER_REASONS } from "./reasons.ts";
export { selectRerankerPairs } from "./reranker-selection.ts";
export { loadRoleRule } from "./roles.ts";
export { scrubbed } from "./secrets/scrubbed.ts";
export { type SelectionStore, selectExamples } from "./select.ts";
export type { SelectionSettings } from "./selection-settings.ts";
export { selectTipPairs } from "./tip-preferences.ts";
