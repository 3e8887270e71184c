/** An answer cut off at the token limit teaches to stop anywhere. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the answer was cut off at its token limit",
  isAboutAnswer: true,
  refuses: ({ finishReason }) => finishReason === "length",
};

export default filter;
