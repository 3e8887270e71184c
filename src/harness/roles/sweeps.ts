/**
 * Breadth first: attempt n at every item before attempt n + 1 at any, so that later sweeps profit from tips of all items.
 */
import type { ArchitectRule } from "../role.ts";

const rule: ArchitectRule = {
  role: "architect",
  pick: (open) => open.reduce((best, candidate) => (candidate.tried < best.tried ? candidate : best)),
};

export default rule;
