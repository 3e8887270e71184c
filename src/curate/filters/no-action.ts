/** An answer that asked for nothing cannot have earned its verdict. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the answer led to no action",
  refuses: ({ call }) => call === null,
};

export default filter;
