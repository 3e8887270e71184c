/** Curation: from the lake's examples to a selection whose every refusal has a reason. */
export type { ClauseCount } from "./clause-counts.ts";
export { evaluate, type FilterRow } from "./evaluate.ts";
export { parseFilter } from "./expression.ts";
export { clausesOf, type FilterTree, formatFilter } from "./filter-tree.ts";
export { loadFilters, type SelectionSettings, selectExamples } from "./select.ts";
