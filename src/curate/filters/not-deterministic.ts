/** A label that a judge gave, or that a verifier was unsure of, is an opinion. */
import type { Filter } from "../filter.ts";

const MIN_CONFIDENCE = 0.99;

const filter: Filter = {
  summary: "the verdict is a judgment, or its confidence is below 0.99",
  role: "worker",
  refuses: ({ verdict }) =>
    verdict !== null && (verdict.signalType === "judgment" || verdict.confidence < MIN_CONFIDENCE),
};

export default filter;
