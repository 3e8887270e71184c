/** Held-out families prove whether an adapter helps; a dataset that holds one proves nothing. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the family is held out for the test, or its split is not known",
  isFixed: true,
  refuses: ({ split }) => split !== "train" && split !== "validation",
};

export default filter;
