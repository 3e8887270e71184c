/** Curation: from the lake's examples to a selection whose every refusal has a reason. */
export { type FilterTree, formatFilter, parseFilter } from "./expression.ts";
export { type ReflectorPairSettings, reflectorPairs } from "./reflector-pairs.ts";
export { loadFilters, type SelectionSettings, selectExamples } from "./select.ts";
