/** What passed before the action says nothing about the action. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the item passed before the action already",
  role: "worker",
  refuses: ({ verdict, flags }) =>
    flags.includes("noop-pass") || (verdict !== null && verdict.passed === true && verdict.beforePassed === true),
};

export default filter;
