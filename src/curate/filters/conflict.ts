/** Verifiers that contradict each other leave no label to trust. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "verdicts on the attempt contradict each other",
  role: "worker",
  refuses: ({ verdict, flags }) => flags.includes("conflict") || verdict?.passed === null,
};

export default filter;
