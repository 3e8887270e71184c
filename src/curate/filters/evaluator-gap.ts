/** Where the verifier is known not to see what matters, its word is no label. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the verifier has a gap here, so that its verdict says nothing of the answer",
  role: "worker",
  refuses: ({ flags }) => flags.includes("evaluator-gap"),
};

export default filter;
