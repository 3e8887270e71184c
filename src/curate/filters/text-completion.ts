/** A text completion was asked for by a text, and no chat template was applied to it: rows are rendered with one. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the prompt was one text and no chat: the call was a text completion",
  refuses: ({ isTextCompletion }) => isTextCompletion,
};

export default filter;
