/**
 * `tracemill rollback`: takes the last promotion back.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import type { Rollback } from "../records/ledger-entries.ts";
import { placeName, placeOf, rollback } from "../registry/index.ts";
import { defineCommand } from "./command.ts";

const input = z.object({
  place: z.string().describe("a skill, a role of it as SKILL/ROLE, or default"),
  toBase: z.boolean().default(false).describe("back to the base alone, past earlier champions"),
  reason: z.string().min(1).optional().describe("why, as it is recorded"),
});

export default defineCommand<z.infer<typeof input>, Rollback>({
  summary: "Take the last promotion at a place back.",
  details: `Example: tracemill rollback sql --reason "answers got slow"

The champion before it answers again, or the base where there was none.`,
  positional: ["place"],
  input: input as z.ZodType<z.infer<typeof input>>,
  run: ({ place, toBase, reason }, { home, clock }) =>
    rollback(home, { place: placeOf(place), toBase, ...(reason !== undefined && { reason }), clock }),
  print: ({ from, to, ...place }) =>
    `${shortHash(from)} is no longer the champion of ${placeName(place)}; ${to === null ? "the base" : shortHash(to)} answers again.`,
});
