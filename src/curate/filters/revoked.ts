/**
 * What turned out to be bad teaches nothing. A retired tip may be taken out of a prompt and the row kept; a revoked one
 * has swayed the answer that was given under it, so its row goes with it.
 */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary:
    "the run, the attempt, its verifier, the rule of its label, or a tip that the answer was given under (even where tips are dropped) is revoked",
  refuses: ({ isRevoked }) => isRevoked,
};

export default filter;
