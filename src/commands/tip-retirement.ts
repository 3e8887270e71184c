/**
 * Retires tips through the ledger: those that a person or a rule names. What a retirement changes is what later runs read.
 */
import { harmfulTips, type ProposedRetirement } from "../harness/index.ts";
import type { TipId } from "../records/ids.ts";
import type { TipRetirement } from "../records/ledger-entries.ts";
import { CREDIT_RULE, type CreditRule } from "../statistics/tip-credit.ts";
import { appendLedger } from "../store/ledger.ts";
import type { Context } from "./command.ts";
import { readTipBooks, type TipBook, type TipEntry } from "./tip-book.ts";

export interface RetirementReport {
  isDryRun: boolean;
  /** Live tips that were looked at. */
  judged: number;
  retired: { tip: TipId; skill: string; reason: string }[];
}

/** A tip that is to be retired, why, and the tip that stays in its place. */
export interface Chosen {
  entry: TipEntry;
  reason: string;
  evidence: TipRetirement["evidence"];
  into?: TipId;
}

/** Judges a skill's tips by all draws that there are, and retires those whose effect is shown to be harmful. */
export async function retireHarmfulOf(skill: string, context: Context): Promise<RetirementReport> {
  const books = await readTipBooks(context.home, { skill, rule: CREDIT_RULE });
  return retireHarmful(books, { credit: CREDIT_RULE, dryRun: false }, context);
}

/** Retires the tips whose effect is credibly harmful; with `dryRun` it only says which. */
export function retireHarmful(
  books: readonly TipBook[],
  { credit, dryRun }: { credit: CreditRule; dryRun: boolean },
  context: Context,
): RetirementReport {
  const propose = (tips: readonly TipEntry[]) =>
    harmfulTips(tips, new Map(tips.map((entry) => [entry.tip, entry.credit])), credit);
  return retireByRule(books, { rule: "effect", dryRun, propose }, context);
}

/** Retires the live tips among those that a rule proposes; it sees the retired ones too, as they were drawn beside them. */
export function retireByRule(
  books: readonly TipBook[],
  {
    rule,
    dryRun,
    propose,
  }: { rule: "effect" | "classic"; dryRun: boolean; propose(tips: readonly TipEntry[]): ProposedRetirement[] },
  context: Context,
): RetirementReport {
  const live = new Map(
    books.flatMap(({ tips }) => tips.filter(({ retired }) => retired === null).map((entry) => [entry.tip, entry])),
  );
  const chosen = books.flatMap(({ runs, tips }) =>
    propose(tips).flatMap(({ tip, reason, evidence }): Chosen[] => {
      const entry = live.get(tip);
      return entry === undefined ? [] : [{ entry, reason, evidence: { ...evidence, runs: runs.length } }];
    }),
  );
  return retireTips(chosen, { rule, judged: live.size, dryRun }, context);
}

/** Retires the tips that were chosen, each with its reason; with `dryRun` nothing is written. */
export function retireTips(
  chosen: readonly Chosen[],
  { rule, judged, dryRun }: { rule: TipRetirement["rule"]; judged: number; dryRun: boolean },
  { home, clock }: Context,
): RetirementReport {
  for (const { entry, reason, evidence, into } of dryRun ? [] : chosen) {
    const { tip, skill, run: savedBy } = entry;
    const data = { tip, skill, run: savedBy, reason, rule, mergedInto: into ?? null, evidence };
    appendLedger(home, { type: "tip_retired", data }, clock);
  }
  const retired = chosen.map(({ entry: { tip, skill }, reason }) => ({ tip, skill, reason }));
  return { isDryRun: dryRun, judged, retired };
}
