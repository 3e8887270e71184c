/**
 * `tracemill rollback`: takes the last promotion back.
 */
import { z } from "zod";
import { shortHash } from "../foundation/hashing.ts";
import { placeName, placeOf, type RollbackReport, rollback } from "../registry/index.ts";
import { defineCommand } from "./command.ts";

const input = z.object({
  place: z.string().describe("a skill, a role of it as SKILL/ROLE, or default"),
  toBase: z.boolean().default(false).describe("past all earlier champions of this place"),
  reason: z.string().min(1).optional().describe("why, as it is recorded"),
});

export default defineCommand<z.infer<typeof input>, RollbackReport>({
  summary: "Take the last promotion at a place back.",
  details: `Example: tracemill rollback sql --reason "answers got slow"

The champion before it answers again. Where there was none, or with --to-base, the wider place's does (the skill's for a role of
it, else the default), and the base where nothing is promoted there either.`,
  positional: ["place"],
  input: input as z.ZodType<z.infer<typeof input>>,
  run: ({ place, toBase, reason }, { home, clock }) =>
    rollback(home, { place: placeOf(place), toBase, ...(reason !== undefined && { reason }), clock }),
  print: (report) =>
    `${shortHash(report.from)} is no longer the champion of ${placeName(report)}; ${answering(report)}`,
});

function answering({ to, answeredBy }: RollbackReport): string {
  if (answeredBy === null) return "the base answers again.";
  const adapter = shortHash(answeredBy.adapterHash);
  if (to !== null) return `${adapter} answers again.`;
  const wider = placeName(answeredBy);
  return `${adapter} answers there now, as the champion of ${wider}. For the base: tracemill rollback ${wider} --to-base`;
}
