/** A worker acts once an attempt: of several calls in one answer only one was run, and the verdict is of that one. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the answer asks for several actions where one is allowed",
  role: "worker",
  isAboutAnswer: true,
  refuses: ({ response, isForeign }) => !isForeign && (response?.tool_calls?.length ?? 0) > 1,
};

export default filter;
