/** A step whose command ended with an error was none towards the pass of its attempt, as far as its record tells. */
import type { Filter } from "../filter.ts";
import { ranIntoError } from "../step-flags.ts";

const filter: Filter = {
  summary: "a command of the step ended with an exit code other than 0, and was not the last of its attempt",
  role: "worker",
  isAboutAnswer: true,
  refuses: ranIntoError,
};

export default filter;
