/** A tip is retired because it misleads, or says what another one says: no model is to be taught to heed it. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the prompt holds a tip that was retired, and tips are kept",
  refuses: ({ retiredTips }) => retiredTips.length > 0,
};

export default filter;
