/**
 * Draws what a comparison saw of a candidate whose truth is known: a skill that it was trained for, another one at the side, a set
 * of texts, the questions that a loop asks, and what solved items cost.
 */
import type { Random } from "../../src/foundation/random.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import type { PairedCost } from "../../src/statistics/cost-per-success.ts";
import { normalQuantile } from "../../src/statistics/normal.ts";
import type { Evidence } from "../../src/validate/axis.ts";
import { drawFamilies } from "../statistics/simulated-families.ts";

/** How much is drawn: items of each skill over `families`, and texts. */
export const DRAWN = { families: 14, primary: 400, side: 1200, texts: 160 };
/** The same, and the questions that ship: 168 in 14 groups of unequal size. */
export const WITH_QUESTIONS: Sizes = { ...DRAWN, questions: { groups: 14, asked: 168 } };
type Sizes = typeof DRAWN & { questions?: { groups: number; asked: number } };
/** How the arms differ, whatever the candidate is: shares of items, and nats a token. */
export const SPREAD = { primary: 0.25, side: 0.08, texts: 0.08 };
/** Nats a question: as measured (docs/decisions/0027-right-among-wrong.md), and between the groups. */
const QUESTIONS = { sd: 0.175, groupSd: 0.03 };

/** What is true of a candidate. */
export interface Truth {
  primary: number;
  side: number;
  /** Standard deviation of the side's difference over its families; left out, none. */
  sideFamilySd?: number;
  /** Nats a token. */
  general: number;
  /** Nats a question; left out, none. */
  questions?: number;
  /** What a solved item costs, over what it costs the base. */
  cost: number;
  /** Shares of the items that the base and the candidate solve, where costs are told; left out, half and half. */
  solved?: { base: number; candidate: number };
}

export const GOOD: Truth = { primary: 0.15, side: 0.02, general: 0.01, questions: 0.05, cost: 0.8 };

export function drawEvidence(truth: Truth, { sizes, draws }: { sizes: Sizes; draws: Random }): Evidence {
  const normal = () => normalQuantile(draws.next() || 0.5);
  const spread = { families: sizes.families, familySd: 0.03 };
  const primary = drawFamilies(
    { ...spread, items: sizes.primary, discordance: SPREAD.primary, difference: truth.primary },
    draws,
  );
  const side = drawFamilies(
    {
      ...{ ...spread, familySd: truth.sideFamilySd ?? 0, items: sizes.side },
      ...{ discordance: SPREAD.side, difference: truth.side },
    },
    draws,
  );
  return {
    primary: {
      skill: "sql",
      ...paired(primary, 0.3),
      costs: primary.map((one) => costsOf(one, truth, draws)),
    },
    sides: [{ skill: "cron", ...paired(side, 0.5), costs: null }],
    general: [
      {
        name: "humaneval",
        per: "token",
        differences: Array.from({ length: sizes.texts }, () => [truth.general + SPREAD.texts * normal()]),
      },
      ...(sizes.questions === undefined ? [] : [questionsOf(truth, sizes.questions, draws)]),
    ],
    ...{ foreign: [], kl: 0.3, isLive: true, taint: [], leaks: [] },
  };
}

/** Groups whose sizes differ up to threefold and whose means differ; all of them together are the truth's on average. */
function questionsOf(
  { questions = 0 }: Truth,
  { groups, asked }: { groups: number; asked: number },
  draws: Random,
): Evidence["general"][number] {
  const normal = () => normalQuantile(draws.next() || 0.5);
  const weights = Array.from({ length: groups }, () => 0.5 + draws.next());
  const total = sumOf(weights);
  const differences = weights.map((weight) => {
    const mean = questions + QUESTIONS.groupSd * normal();
    const size = Math.max(1, Math.round((asked * weight) / total));
    return Array.from({ length: size }, () => mean + QUESTIONS.sd * normal());
  });
  return { name: "multiple-choice", per: "question", differences };
}

export function paired(differences: number[][], baseRate: number) {
  const all = differences.flat();
  const count = (value: number) => all.filter((one) => one === value).length;
  const both = Math.max(0, Math.round(baseRate * all.length) - count(-1));
  const counts = { both, onlyTreatment: count(1), onlyReference: count(-1), neither: count(0) - both };
  return { differences, baseRate, counts };
}

/** Costs whose ratio of expectations is the truth's; what was solved is drawn apart from the differences. */
function costsOf(items: readonly number[], { cost, solved }: Truth, draws: Random): PairedCost[] {
  const { base, candidate } = solved ?? { base: 0.5, candidate: 0.5 };
  const spent = (cost * candidate) / base;
  return items.map(() => ({
    reference: { spent: 50 + 100 * draws.next(), solved: Number(draws.next() < base) },
    treatment: { spent: spent * (50 + 100 * draws.next()), solved: Number(draws.next() < candidate) },
  }));
}
