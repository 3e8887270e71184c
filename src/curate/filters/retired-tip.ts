/** A tip is retired because it misleads, or says what another one says: no model is to be taught to heed it. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "a tip was retired that the answer was given under (even where tips are dropped), or that it wrote",
  refuses: ({ retiredTips }) => retiredTips.length > 0,
};

export default filter;
