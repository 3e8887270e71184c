/** A demonstration is imitated, so that it has to be good; whoever wants bad answers too asks for the tier of judged ones. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the answer was not good",
  tier: "demonstrations",
  refuses: ({ label }) => label?.passed !== true,
};

export default filter;
