/** Learns from single answers that were judged, held to the model as it was before. Source: arXiv:2402.01306. */
import type { TrainMethod } from "../method.ts";

const kto: TrainMethod = {
  tier: "judged",
  columns: ["row_id", "ids", "mask", "label"],
  needsBothLabels: true,
  lossUnit: "no unit",
};

export default kto;
