/**
 * Depth first: the items in the order in which they were scanned, each until it is finished.
 */
import type { ArchitectRule } from "../role.ts";

const rule: ArchitectRule = {
  role: "architect",
  pick: ([first]) => first,
};

export default rule;
