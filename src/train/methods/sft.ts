/** Learns good answers as they stand. */
import type { TrainMethod } from "../method.ts";

const sft: TrainMethod = {
  tier: "demonstrations",
  columns: ["row_id", "ids", "mask"],
  needsBothLabels: false,
  lossUnit: "nats a token",
};

export default sft;
