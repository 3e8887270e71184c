/**
 * The saved tips of a skill, each with its draws and with what these say that it is worth: one reading, for whoever weighs tips in
 * a prompt and for whoever shows or retires them. Does not know what becomes of a tip.
 */
import type { RunId, TipId } from "../records/ids.ts";
import { type Message, messageSchema } from "../records/message.ts";
import { type CreditRule, creditTips, type TipCredit } from "../statistics/tip-credit.ts";
import type { Row } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import { readTipDraws, type TipHistory } from "../store/tip-draws.ts";

export interface CreditedTip extends TipHistory {
  tip: TipId;
  run: RunId;
  skill: string;
  family: string;
  type: string;
  text: string;
  example: Message[] | null;
  mechanism: string | null;
  conditions: string | null;
  about: string;
  source: { item: string; attempt: string | null };
  /** Null while it may be read. */
  retired: { reason: string; mergedInto: TipId | null } | null;
  credit: TipCredit;
}

export interface CreditOptions {
  skill: string;
  /**
   * Whose draws count. A run that begins gives the train runs that left tips out by chance: it weighs tips by randomised
   * effects alone, and where there is no such run it need not open the lake. Who shows or retires tips gives all sealed
   * runs but those over the test split, or those that are named: it also tells of draws without chance and of attempts
   * that do not count.
   */
  runs: readonly RunId[];
  /** Whether only tips are credited that these runs saved or retrieved: a tip is judged among those that are read here. */
  isOfRuns: boolean;
  rule: CreditRule;
}

/** Returns the tips of the skill's sealed runs, oldest first; those of which no draw counts have none. */
export async function creditedTips(lake: Lake, { skill, runs, isOfRuns, rule }: CreditOptions): Promise<CreditedTip[]> {
  const histories = await readTipDraws(lake, { runs });
  const saved = await lake.query(
    "SELECT t.* FROM tips t JOIN runs u USING (run) WHERE t.skill = $skill ORDER BY u.started_at, t.run, t.seq",
    { skill },
  );
  const all = saved.map((row) => tipOf(row, histories.get(row.tip as TipId)));
  const tips = isOfRuns ? all.filter(({ tip, run }) => runs.includes(run) || histories.has(tip)) : all;
  const credits = creditTips(tips, rule);
  return tips.map((tip) => ({ ...tip, credit: credits.get(tip.tip) as TipCredit }));
}

function tipOf(row: Row, history: TipHistory = { draws: [], uncounted: {} }): Omit<CreditedTip, "credit"> {
  const text = (name: string) => (row[name] === null ? null : String(row[name]));
  return {
    tip: row.tip as TipId,
    run: row.run as RunId,
    skill: String(row.skill),
    family: String(row.family),
    type: String(row.type),
    text: String(row.text),
    example: row.example === null ? null : messageSchema.array().parse(JSON.parse(String(row.example))),
    mechanism: text("mechanism"),
    conditions: text("conditions"),
    about: String(row.about),
    source: { item: String(row.source_item), attempt: text("source_attempt") },
    retired:
      row.retired_reason === null
        ? null
        : { reason: String(row.retired_reason), mergedInto: text("merged_into") as TipId | null },
    ...history,
  };
}
