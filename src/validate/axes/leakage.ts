/**
 * Has the candidate seen what it was judged on? No axis of performance can tell learning from remembering; its lineage can. Of
 * what has no whole lineage, families that nobody can have seen tell.
 */
import type { Axis } from "../axis.ts";

const SHOWN = 3;

const axis: Axis = {
  summary: "the families of the comparison and the adapter's whole lineage share nothing",
  needsNoRun: true,
  judge: ({ leaks, areFresh = false }) => [
    {
      ...{
        axis: "leakage",
        kind: "limit" as const,
        isLetPass: leaks === null && areFresh,
        estimate: null,
        interval: null,
        neededItems: null,
      },
      outcome: leaks === null ? "inconclusive" : leaks.length === 0 ? "passed" : "failed",
      threshold: "no family of the comparison in the lineage",
      reason: reasonOf(leaks, areFresh),
    },
  ],
};

export default axis;

function reasonOf(leaks: string[] | null, areFresh: boolean): string {
  if (leaks === null && areFresh) return "Where it comes from is not known, but all families are fresh.";
  if (leaks === null) return "Where it comes from is not known, so it may have seen these families.";
  if (leaks.length === 0) return "It has learned from nothing that it was judged on.";
  const more = leaks.length > SHOWN ? ` and ${leaks.length - SHOWN} more` : "";
  return `It has learned from ${leaks.slice(0, SHOWN).join(", ")}${more}.`;
}
