/** Curation: from the lake's examples to a selection whose every refusal has a reason. */
export { evaluate, type FilterRow } from "./evaluate.ts";
export { parseFilter } from "./expression.ts";
export { clausesOf, type FilterTree, formatFilter } from "./filter-tree.ts";
export { loadFilters } from "./gates.ts";
export { loadRoleRule } from "./roles.ts";
export { loadTier, selectExamples } from "./select.ts";
export { type SelectionSettings, TRIES, UNITS } from "./selection-settings.ts";
