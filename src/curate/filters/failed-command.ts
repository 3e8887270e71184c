/** A step whose command ended with an error was none towards the pass of its attempt, as far as its record tells. */
import type { Filter } from "../filter.ts";
import { ranIntoError } from "../step-flags.ts";

const filter: Filter = {
  summary:
    "a call of the step failed (an exit code other than 0, or an error as its log says), and the step was not the last of its attempt",
  role: "worker",
  isAboutAnswer: true,
  refuses: ranIntoError,
};

export default filter;
