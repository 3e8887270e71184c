/**
 * What the sealed runs say of each tip: the attempts in which it was retrieved and drawn, in the order of the draws, and
 * why others do not count. One draw an attempt: that of the worker's last turn, whose answer was judged.
 *
 * Counted are attempts at train items alone: a tip that is kept or retired for what it did on held-out items would
 * carry them into later prompts. Does not know what is estimated from the draws.
 */
import type { AttemptId, RunId, TipId } from "../records/ids.ts";
import type { Row } from "./duckdb.ts";
import type { Lake } from "./lake.ts";

/** A draw of the statistics (`src/statistics/tip-draw.ts`) and where it was made. */
export interface RecordedDraw {
  run: RunId;
  attempt: AttemptId;
  item: string;
  attemptNumber: number;
  isShown: boolean;
  dropProbability: number;
  outcome: number;
}

/**
 * Why an attempt in which a tip was retrieved is no observation of it. `no-room`: the prompt had no room for the tip,
 * which is settled before the tip's draw and so says nothing of it.
 */
export const UNCOUNTED = [
  "revoked",
  "held-out",
  "no-room",
  "failed-call",
  "no-verdict",
  "environment-suspect",
  "conflict",
] as const;
export type Uncounted = (typeof UNCOUNTED)[number];

export interface TipHistory {
  draws: RecordedDraw[];
  /** By reason; shown and dropped apart, as a tip that makes attempts fail leaves more of the one than of the other. */
  uncounted: Partial<Record<Uncounted, { shown: number; dropped: number }>>;
}

const IS_UNCOUNTED: Record<Uncounted, string> = {
  revoked: "a.is_revoked",
  "held-out": "a.split IS DISTINCT FROM 'train'",
  "no-room": "NOT r.is_dropped AND NOT r.is_rendered",
  "failed-call": "a.verdict_value IS NULL AND t.response IS NULL",
  "no-verdict": "a.verdict_value IS NULL",
  "environment-suspect": "list_contains(a.flags, 'environment-suspect')",
  conflict: "list_contains(a.flags, 'conflict')",
};

const WHY = `CASE ${UNCOUNTED.map((reason) => `WHEN ${IS_UNCOUNTED[reason]} THEN '${reason}'`).join(" ")} END`;

/**
 * Reads the draws of every tip that was retrieved in the runs, or of `tip` alone: runs by their start, and within one by
 * when the call began, which is right after the draw.
 * Shapes: tips that were never retrieved have no entry.
 */
export async function readTipDraws(
  lake: Lake,
  { runs, tip = null }: { runs: readonly RunId[]; tip?: TipId | null },
): Promise<Map<TipId, TipHistory>> {
  const histories = new Map<TipId, TipHistory>();
  if (runs.length === 0) return histories;
  const rows = await lake.stream(
    `SELECT r.tip, r.run, a.attempt, a.item, a.attempt_number, r.is_dropped, r.drop_probability, a.verdict_value,
      ${WHY} AS uncounted
      FROM files.retrievals r
      JOIN files.attempts a ON a.run = r.run AND a.attempt = r.attempt AND a.last_turn = r.turn
      JOIN files.turns t ON t.run = r.run AND t.turn = r.turn
      JOIN files.runs u ON u.run = r.run
      WHERE r.run IN (${runs.map((_, i) => `$run${i}`)}) AND ($tip::VARCHAR IS NULL OR r.tip = $tip)
      ORDER BY u.started_at, r.run, t.recorded_at - to_milliseconds(t.latency_ms), t.seq, r.rank`,
    { ...Object.fromEntries(runs.map((run, i) => [`run${i}`, run])), tip },
  );
  for await (const batch of rows) for (const row of batch) take(histories, row);
  return histories;
}

function take(histories: Map<TipId, TipHistory>, row: Row): void {
  const tip = row.tip as TipId;
  const history = histories.get(tip) ?? { draws: [], uncounted: {} };
  histories.set(tip, history);
  const isShown = row.is_dropped === false;
  if (row.uncounted !== null) {
    const reason = row.uncounted as Uncounted;
    const counts = history.uncounted[reason] ?? { shown: 0, dropped: 0 };
    history.uncounted[reason] = counts;
    counts[isShown ? "shown" : "dropped"] += 1;
    return;
  }
  history.draws.push({
    run: row.run as RunId,
    attempt: row.attempt as AttemptId,
    item: String(row.item),
    attemptNumber: Number(row.attempt_number),
    isShown,
    dropProbability: Number(row.drop_probability),
    outcome: Number(row.verdict_value),
  });
}

/**
 * Reads what a tip without draws can be compared with: the attempts of these runs at the items that it was retrieved
 * for, in which it was not. Nothing protects such a comparison from confounding.
 */
export async function readAttemptsWithout(
  lake: Lake,
  { runs, tip }: { runs: readonly RunId[]; tip: TipId },
): Promise<RecordedDraw[]> {
  if (runs.length === 0) return [];
  const rows = await lake.query(
    `WITH seen AS (SELECT DISTINCT r.run, a.item FROM files.retrievals r
        JOIN files.attempts a ON a.run = r.run AND a.attempt = r.attempt
        WHERE r.tip = $tip AND r.run IN (${runs.map((_, i) => `$run${i}`)}))
      SELECT a.run, a.attempt, a.item, a.attempt_number, a.verdict_value
      FROM files.attempts a JOIN seen USING (run, item) JOIN files.runs u ON u.run = a.run
      WHERE a.split = 'train' AND a.verdict_value IS NOT NULL
        AND NOT a.is_revoked AND NOT list_has_any(a.flags, ['environment-suspect', 'conflict'])
        AND a.last_turn NOT IN (SELECT turn FROM files.retrievals WHERE tip = $tip)
      ORDER BY u.started_at, a.run, a.item, a.attempt_number`,
    { ...Object.fromEntries(runs.map((run, i) => [`run${i}`, run])), tip },
  );
  return rows.map((row) => ({
    run: row.run as RunId,
    attempt: row.attempt as AttemptId,
    item: String(row.item),
    attemptNumber: Number(row.attempt_number),
    isShown: false,
    dropProbability: 0,
    outcome: Number(row.verdict_value),
  }));
}
