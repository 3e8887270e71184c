/** A label that a model or a person gave, or that a verifier was unsure of, is an opinion. */
import { isDeterministic } from "../../records/verdict.ts";
import type { Filter } from "../filter.ts";

const MIN_CONFIDENCE = 0.99;

const filter: Filter = {
  summary: "the verdict is an opinion, of a model or a person, or its confidence is below 0.99",
  role: "worker",
  refuses: ({ verdict }) => verdict !== null && (!isDeterministic(verdict) || verdict.confidence < MIN_CONFIDENCE),
};

export default filter;
