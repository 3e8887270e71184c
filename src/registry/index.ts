/** The registry: what was made from what, and what is not to be relied on any more. */
export {
  answeringPlace,
  type Champion,
  championFor,
  type PlaceEvent,
  placeName,
  placeOf,
  readChampions,
  readPlaceEvents,
  standingPromotions,
} from "./champions.ts";
export { ancestryOf, type Graph, openGraph } from "./graph.ts";
export { leaksOf } from "./leaks.ts";
export { lineageOf } from "./lineage.ts";
export { type PromotionReport, possiblePromotion, promote, type RollbackReport, rollback } from "./promote.ts";
export { revocationsText, revokedBehind, revokedOfRuns } from "./refuse-revoked.ts";
export { type RevocationReport, revoke } from "./revoke.ts";
export {
  goneOfLineage,
  type LineageTaint,
  taintedDatasets,
  taintedWriters,
  taintOf,
  taintOfAdapter,
  taintOfLineage,
} from "./taint.ts";
export { validateCommand } from "./validate-command.ts";
