/**
 * An answer that asked for nothing cannot have earned its verdict. What another agent did is no event of its own: there the answer
 * is what was judged, unless that agent itself refused it.
 */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the answer led to no action; of another agent, where that agent found none in it",
  role: "worker",
  isAboutAnswer: true,
  refuses: ({ call, isForeign, parseFlags }) => (isForeign ? parseFlags.includes("no-action") : call === null),
};

export default filter;
