/**
 * What turned out to be bad teaches nothing. A revoked tip has swayed the answer that was given under it, so that its row goes
 * with it, also where the tip is taken out of the prompt.
 */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary:
    "the run, the attempt, its verifier, the rule of its label, or a tip that the answer was given under (even where tips are dropped) is revoked",
  refuses: ({ isRevoked }) => isRevoked,
};

export default filter;
