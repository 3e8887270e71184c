/**
 * Which tips were retrieved together, and for which tasks: by an attempt's last worker turn, as draws are counted, each tip
 * shown or left out by its draw. One that had no room was not drawn, and does not count. Train items alone, and nothing that
 * is revoked.
 */
import { z } from "zod";
import { attemptIdSchema, itemIdSchema, type RunId, runIdSchema, type TipId, turnIdSchema } from "../records/ids.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";

export type TipNames = readonly [TipId, TipId];

/** A task for which both tips of a pair were retrieved, and where first. */
const jointRetrievalSchema = z.object({
  one: z.string(),
  other: z.string(),
  /** How many tasks there are for the pair, drawn or not. */
  tasks: z.int(),
  run: runIdSchema,
  attempt: attemptIdSchema,
  turn: turnIdSchema,
  item: itemIdSchema,
  family: z.string(),
  /** What the retriever was asked with. */
  task: z.string(),
});

export type JointRetrieval = z.infer<typeof jointRetrievalSchema>;

/** Returns every two tips that one turn retrieved. Shapes: each pair once, its names in order, sorted. */
export async function tipsRetrievedTogether(lake: Lake, runs: readonly RunId[]): Promise<TipNames[]> {
  if (runs.length === 0) return [];
  const rows = await lake.query(
    `WITH drawn AS (${drawnTips(runs)})
     SELECT DISTINCT x.tip AS one, y.tip AS other FROM drawn x JOIN drawn y ON y.turn = x.turn AND x.tip < y.tip
     ORDER BY one, other`,
  );
  return rows.map(({ one, other }): TipNames => [one as TipId, other as TipId]);
}

/**
 * Draws by the seed up to `most` tasks for which each pair was retrieved, each task once, by the first attempt that did.
 * Shapes: in the order of pairs, then as drawn.
 */
export async function drawJointRetrievals(
  lake: Lake,
  { runs, pairs, seed, most }: { runs: readonly RunId[]; pairs: readonly TipNames[]; seed: number; most: number },
): Promise<JointRetrieval[]> {
  if (runs.length === 0 || pairs.length === 0) return [];
  const values = pairs.map(([one, other], i) => `(${i}, ${sqlText(one)}, ${sqlText(other)})`);
  const rows = await lake.query(
    `WITH drawn AS (${drawnTips(runs)}), pairs(place, one, other) AS (VALUES ${values.join(", ")}),
     joint AS (SELECT DISTINCT ON (p.place, x.item) p.*, x.run, x.attempt, x.turn, x.item, x.family
       FROM pairs p JOIN drawn x ON x.tip = p.one JOIN drawn y ON y.turn = x.turn AND y.tip = p.other
       ORDER BY p.place, x.item, x.started_at, x.run, x.attempt_number),
     ranked AS (SELECT *, count(*) OVER (PARTITION BY place) AS tasks,
       row_number() OVER (PARTITION BY place ORDER BY md5(concat_ws(':', $seed::VARCHAR, item, one, other)), item) AS rank FROM joint)
     SELECT k.one, k.other, k.tasks, k.run, k.attempt, k.turn, k.item, k.family, i.task
     FROM ranked k JOIN files.items i ON i.run = k.run AND i.item = k.item
     WHERE k.rank <= $most ORDER BY k.place, k.rank`,
    { seed: String(seed), most },
  );
  return rows.map((row) => jointRetrievalSchema.parse(row));
}

function drawnTips(runs: readonly RunId[]): string {
  return `SELECT r.tip, r.turn, a.run, a.attempt, a.attempt_number, a.item, i.family, u.started_at
    FROM files.retrievals r
    JOIN files.attempts a ON a.run = r.run AND a.attempt = r.attempt AND a.last_turn = r.turn
    JOIN files.items i ON i.run = a.run AND i.item = a.item
    JOIN files.runs u ON u.run = a.run
    WHERE r.run IN (${runs.map(sqlText).join(", ")}) AND i.split = 'train' AND NOT a.is_revoked
      AND (r.is_dropped OR r.is_rendered)`;
}
