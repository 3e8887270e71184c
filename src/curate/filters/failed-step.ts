/** An answer that could not be understood, or did not come whole, was no step towards the pass of its attempt. */
import type { Filter } from "../filter.ts";
import { wentWrong } from "../step-flags.ts";

/** These have gates of their own. */
const TOLD_ELSEWHERE = new Set(["no-action", "empty", "cut-at-max-tokens"]);

const filter: Filter = {
  summary: "something went wrong with the answer: it could not be understood, or did not come whole",
  role: "worker",
  isAboutAnswer: true,
  refuses: (candidate) => wentWrong(candidate).some((flag) => !TOLD_ELSEWHERE.has(flag)),
};

export default filter;
