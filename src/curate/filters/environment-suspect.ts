/** An environment that broke can make a wrong action pass. */
import type { Filter } from "../filter.ts";

const filter: Filter = {
  summary: "the environment was not sound when the verdict was made",
  role: "worker",
  refuses: ({ flags }) => flags.includes("environment-suspect"),
};

export default filter;
