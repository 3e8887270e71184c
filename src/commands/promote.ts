/**
 * `tracemill promote`: an adapter that the gate passed answers for its skill from now on.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { type PromotionReport, placeName, placeOf, promote } from "../registry/index.ts";
import { defineCommand } from "./command.ts";

const input = z.object({
  adapter: z.string().describe("the adapter, by name or hash"),
  for: z.string().describe("a skill, a role of it as SKILL/ROLE, or default"),
  override: z.string().optional().describe("promote without a passing decision; why, as it is recorded"),
});

export default defineCommand<z.infer<typeof input>, PromotionReport>({
  summary: "Make an adapter that the gate passed the champion of its skill.",
  details: `Examples:
  tracemill promote sql-v1 --for sql
  tracemill promote stig-v3 --for stig/worker

The last comparison on the skill has to have passed. It judges the worker: another role needs --override. An adapter answers only for
skills and roles that it was trained on. The base stays beside it under its own name, and \`tracemill rollback\` takes a promotion back.`,
  positional: ["adapter"],
  input,
  run: ({ adapter, for: place, override }, { home, clock }) =>
    promote(home, { adapter, place: placeOf(place), ...(override !== undefined && { override }), clock }),
  print: ({ adapterHash, comparisonHash, before, wasChampion, ...place }) => {
    if (wasChampion) return `${shortHash(adapterHash)} is the champion of ${placeName(place)} already.`;
    const why = comparisonHash === null ? "by override" : `by comparison ${shortHash(comparisonHash)}`;
    const instead = before === null ? "the base" : shortHash(before);
    return `${shortHash(adapterHash)} is the champion of ${placeName(place)} now, ${why}; before it was ${instead}.`;
  },
});
