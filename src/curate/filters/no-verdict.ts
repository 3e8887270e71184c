/** Without a verdict there is no label. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "no deterministic verifier decided the attempt",
  refuses: ({ verdict }) => verdict === null,
};

export default filter;
