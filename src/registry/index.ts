/** The registry: what was made from what, and what is not to be relied on any more. */
export { ancestryOf, type Graph, openGraph } from "./graph.ts";
export { lineageOf } from "./lineage.ts";
export { type RevocationReport, revoke } from "./revoke.ts";
export { taintedDatasets, taintOf, taintOfAdapter } from "./taint.ts";
