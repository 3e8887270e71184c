/** Without a verdict there is no label. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "nothing says whether the answer was good",
  isFixed: true,
  refuses: ({ label }) => label === null,
};

export default filter;
