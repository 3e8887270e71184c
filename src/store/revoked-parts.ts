/**
 * Which of the revoked tips and verifiers had a part in runs, and which of the revoked attempts they have: what the lake knows
 * and the ledger does not say.
 */
import { z } from "zod";
import { sqlText } from "./duckdb.ts";
import type { Lake } from "./lake.ts";

const partSchema = z.object({ kind: z.enum(["tip", "verifier", "attempt"]), target: z.string() });

/**
 * Returns the revoked tips that prompts of the runs hold, the revoked attempts that are in them, and the revoked verifiers that
 * judged there; one that gave no verdict anywhere is a rule that labels, and may have done so there.
 */
export async function readRevokedParts(lake: Lake, runs: readonly string[]): Promise<z.infer<typeof partSchema>[]> {
  const list = runs.map(sqlText).join(", ");
  const rows = await lake.query(
    `SELECT 'tip' AS kind, tip AS target FROM sealed.rendered_tips WHERE run IN (${list})
      AND tip IN (SELECT target FROM ledger.revocations WHERE kind = 'tip')
     UNION SELECT 'verifier', verifier_id || '@' || verifier_version FROM files.verdicts WHERE run IN (${list})
      AND verifier_id || '@' || verifier_version IN (SELECT target FROM ledger.revocations WHERE kind = 'verifier')
     UNION SELECT 'attempt', attempt FROM files.turns WHERE run IN (${list})
      AND attempt IN (SELECT target FROM ledger.revocations WHERE kind = 'attempt')
     UNION SELECT 'verifier', target FROM ledger.revocations WHERE kind = 'verifier'
      AND target NOT IN (SELECT verifier_id || '@' || verifier_version FROM files.verdicts)`,
  );
  return partSchema.array().parse(rows);
}
