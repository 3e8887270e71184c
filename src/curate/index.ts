/** Curation: from the lake's examples to a selection whose every refusal has a reason. */
export { type Coverage, readCoverage } from "./coverage.ts";
export { evaluate, type FilterRow } from "./evaluate.ts";
export { parseFilter } from "./expression.ts";
export { clausesOf, type FilterTree, formatFilter } from "./filter-tree.ts";
export { loadFilters, OTHER_REASONS } from "./gates.ts";
export { type ReflectorPairSettings, reflectorPairs } from "./reflector-pairs.ts";
export { type RerankerPairSettings, rerankerPairs } from "./reranker-pairs.ts";
export { loadRoleRule } from "./roles.ts";
export { scrubbed } from "./secrets/scrubbed.ts";
export { type Finding, findings, openScrubber, type Scrubber, type TraceScrubber } from "./secrets/scrubber.ts";
export { loadTier, type SelectionStore, selectExamples } from "./select.ts";
export { type SelectionSettings, TRIES, UNITS } from "./selection-settings.ts";
export { selectRerankerPairs, selectTipPairs } from "./tip-preferences.ts";
