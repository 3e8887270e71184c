/** A text that was clipped may never become a prompt or a target. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "a part of the prompt or the answer is missing or clipped at its source",
  refuses: ({ isClipped, flags }) => isClipped || flags.includes("clipped"),
};

export default filter;
