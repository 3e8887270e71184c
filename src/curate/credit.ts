/**
 * What each tip is worth by the draws of the runs given, and which answer of the reflector wrote it. An outcome is never
 * shared out among the tips of its prompt: a tip is credited with what its own draw changed. Where two tips were always
 * drawn alike nothing tells whose the outcome was, so neither has an effect of its own.
 */
import { groupBy } from "../foundation/group-by.ts";
import type { Interval } from "../records/comparison.ts";
import type { AttemptId, ItemId, RunId, TipId, TurnId } from "../records/ids.ts";
import { FEWEST_DRAWS } from "../statistics/hajek-contrast.ts";
import { CREDIT_RULE, creditTips, type TipCredit } from "../statistics/tip-credit.ts";
import { isRandomised } from "../statistics/tip-draw.ts";
import { type Row, sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import { type RecordedDraw, readTipDraws } from "../store/tip-draws.ts";

/** Where a tip comes from, as far as its log says. */
export interface TipSource {
  run: RunId;
  item: ItemId;
  split: string | null;
  attempt: AttemptId | null;
  /** The reflector's turn that wrote it; null where a rule, a starter or an import did. */
  turn: TurnId | null;
  /** How the attempt failed; null where it passed, was not judged, or the environment may have decided. */
  failureMode: string | null;
}

export interface CreditedTip {
  tip: TipId;
  skill: string;
  family: string;
  text: string;
  isRetired: boolean;
  source: TipSource;
  credit: TipCredit;
  /** Tips that were shown and left out together with this one in every attempt that drew both. */
  drawnAlike: TipId[];
  /** How many times as likely one of its draws was to leave it out, or to show it, as another; 1 where all were alike. */
  drawSpread: number;
}

/**
 * Credits the tips of the skills that were saved or drawn in the runs, those of a skill together; an effect is shrunken
 * towards its family's mean where four of it have an interval, else towards the skill's.
 * Shapes: in the order in which they were saved, skill by skill.
 */
export async function readCredits(
  lake: Lake,
  { skills, runs, alpha = CREDIT_RULE.alpha }: { skills?: readonly string[]; runs: readonly RunId[]; alpha?: number },
): Promise<CreditedTip[]> {
  const histories = await readTipDraws(lake, { runs });
  const saved = (await lake.query(savedTips(skills))).map(tipOf);
  const unique = [...new Map(saved.toReversed().map((tip) => [tip.tip, tip])).values()].toReversed();
  const known = unique
    .filter(({ tip, source }) => histories.has(tip) || runs.includes(source.run))
    .map((tip) => ({ ...tip, draws: histories.get(tip.tip)?.draws ?? [] }));
  const alike = drawnAlike(known);
  return [...groupBy(known, ({ skill }) => skill).values()].flatMap((ofSkill) => {
    const credits = creditTips(ofSkill, { ...CREDIT_RULE, alpha });
    return ofSkill.map(({ draws, ...tip }) => ({
      ...tip,
      drawSpread: drawSpread(draws),
      credit: credits.get(tip.tip) as TipCredit,
      drawnAlike: alike.get(tip.tip) ?? [],
    }));
  });
}

/** The tip's own effect with its interval; null where chance alone did not decide, or nothing can be told of it alone. */
export function ownEffect({ credit, drawnAlike }: CreditedTip): { estimate: number; interval: Interval } | null {
  const { kind, estimate, interval } = credit.effect;
  if (kind !== "randomised" || drawnAlike.length > 0) return null;
  if (credit.shrunken !== null) return credit.shrunken;
  return estimate === null || interval === null ? null : { estimate, interval };
}

/**
 * For each tip those whose draws cannot be told from its own: they agree in every attempt that drew both, among them
 * enough of either kind that an effect would have an interval. Independent draws of one half do so once in a thousand.
 */
export function drawnAlike(tips: readonly { tip: TipId; draws: readonly RecordedDraw[] }[]): Map<TipId, TipId[]> {
  const together = new Map<string, { one: TipId; other: TipId; shown: number; dropped: number; differ: number }>();
  const draws = tips.flatMap(({ tip, draws }) => draws.filter(isRandomised).map((draw) => ({ tip, ...draw })));
  for (const ofAttempt of groupBy(draws, ({ attempt }) => attempt).values()) {
    for (const [i, one] of ofAttempt.entries()) {
      for (const other of ofAttempt.slice(i + 1)) {
        const key = `${one.tip} ${other.tip}`;
        const counts = together.get(key) ?? { one: one.tip, other: other.tip, shown: 0, dropped: 0, differ: 0 };
        together.set(key, counts);
        counts[one.isShown !== other.isShown ? "differ" : one.isShown ? "shown" : "dropped"] += 1;
      }
    }
  }
  const alike = new Map<TipId, TipId[]>();
  for (const { one, other, shown, dropped, differ } of together.values()) {
    if (differ > 0 || Math.min(shown, dropped) < FEWEST_DRAWS) continue;
    alike.set(one, [...(alike.get(one) ?? []), other]);
    alike.set(other, [...(alike.get(other) ?? []), one]);
  }
  return alike;
}

/** An attempt that was made again has several answers of the reflector: a tip is of the last one before it. */
function savedTips(skills: readonly string[] | undefined): string {
  const ofSkills = skills === undefined ? "true" : `t.skill IN (${["", ...skills].map(sqlText).join(", ")})`;
  return `SELECT t.tip, t.run, t.skill, t.family, t."text", t.source_item, t.source_attempt,
      t.retired_reason IS NOT NULL AND t.merged_into IS NULL AS is_retired, i.split,
      CASE WHEN NOT a.eval_passed AND NOT list_contains(a.flags, 'environment-suspect') THEN a.failure_mode END AS failure_mode,
      (SELECT arg_max(r.turn, r.seq) FROM files.turns r WHERE r.run = t.run AND r.attempt = t.source_attempt
        AND r."role" = 'reflector' AND r.response IS NOT NULL AND r.seq < t.seq) AS turn
    FROM tips t JOIN files.runs u ON u.run = t.run
    LEFT JOIN files.items i ON i.run = t.run AND i.item = t.source_item
    LEFT JOIN files.attempts a ON a.run = t.run AND a.attempt = t.source_attempt
    WHERE ${ofSkills} ORDER BY t.skill, u.started_at, t.run, t.seq`;
}

/** How unlike the random draws' probabilities are: the larger of the ratios of those to drop, and of those to show. */
function drawSpread(draws: readonly RecordedDraw[]): number {
  const dropped = draws.filter(isRandomised).map(({ dropProbability }) => dropProbability);
  if (dropped.length === 0) return 1;
  const [least, most] = [Math.min(...dropped), Math.max(...dropped)];
  return Math.max(most / least, (1 - least) / (1 - most));
}

function tipOf(row: Row): Omit<CreditedTip, "credit" | "drawnAlike" | "drawSpread"> {
  const text = <T extends string>(name: string) => (row[name] === null ? null : (String(row[name]) as T));
  return {
    tip: row.tip as TipId,
    skill: String(row.skill),
    family: String(row.family),
    text: String(row.text),
    isRetired: row.is_retired === true,
    source: {
      run: row.run as RunId,
      item: row.source_item as ItemId,
      split: text("split"),
      attempt: text<AttemptId>("source_attempt"),
      turn: text<TurnId>("turn"),
      failureMode: text("failure_mode"),
    },
  };
}
