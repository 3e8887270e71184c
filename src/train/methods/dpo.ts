/** Learns to prefer the better of two answers to one prompt, held to the model as it was before. Source: arXiv:2305.18290. */
import type { TrainMethod } from "../method.ts";

const dpo: TrainMethod = {
  tier: "preference-pairs",
  columns: ["row_id", "chosen_ids", "chosen_mask", "rejected_ids", "rejected_mask"],
  needsBothLabels: false,
  lossUnit: "nats a pair",
};

export default dpo;
