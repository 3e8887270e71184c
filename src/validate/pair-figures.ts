/**
 * All figures of the pairs of a comparison, from outcomes that lie in the same order. Pure.
 */
import { assert } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { PairResult, Plan } from "../records/comparison.ts";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import { costBootstrap, costRatio, type PairedCost } from "../statistics/cost-per-success.ts";
import { holm } from "../statistics/holm.ts";
import { mcnemar } from "../statistics/mcnemar.ts";
import { newcombeInterval } from "../statistics/newcombe.ts";
import { countPairs, type PairedCounts } from "../statistics/paired-counts.ts";
import { hasSpread, meanInterval, type PairedDifference, pairedDifference } from "../statistics/paired-difference.ts";
import { minimumDetectable } from "../statistics/power.ts";
import { ratioOfMeans } from "../statistics/ratio-of-means.ts";
import { studentTCdf } from "../statistics/student-t.ts";
import { varianceParts } from "../statistics/variance-parts.ts";
import type { Outcome, Sample } from "./arm-outcomes.ts";
import type { SkillEvidence } from "./axis.ts";
import { decidingRates } from "./deciding-interval.ts";
import type { WholeArm } from "./judged-part.ts";

export type PairFigures = Omit<PairResult, "verdict">;

type Asked = Pick<Plan, "pairs" | "alpha" | "seed" | "samples"> & {
  /** Of the interval that decides, where a comparison may end early: a look's share. */
  lookAlpha?: number;
};

interface ItemPair {
  family: string;
  reference: readonly Sample[];
  treatment: readonly Sample[];
}

/** What is compared beside first-try success, as one figure an item; null where it is not known. */
const SECONDARY: Record<string, (samples: readonly Sample[]) => number | null> = {
  "solved within the attempts": (samples) => knownMean(samples, (one) => Number(one.solved)),
  "completion tokens": (samples) => knownMean(samples, (one) => one.completionTokens),
  "tokens of prompts and answers": (samples) => knownMean(samples, (one) => one.totalTokens),
  "milliseconds of calls and actions": (samples) => knownMean(samples, (one) => one.wallMs),
  "attempts with a valid action": (samples) =>
    knownMean(samples, (one) => (one.validCalls === null ? null : one.validCalls / one.attempts)),
};

/** Returns the figures of every pair of the plan, in its order. */
export function pairFigures(plan: Asked, arms: readonly WholeArm[]): PairFigures[] {
  const figures = plan.pairs.map(([reference, treatment]) => {
    return { reference, treatment, ...figuresOf(plan, pairsOf(arms, { reference, treatment })) };
  });
  return holmOfPairs(holmOfSecondary(figures));
}

/** Returns what the axes of the gate see of a pair of arms at a skill. */
export function skillEvidence(
  skill: string,
  plan: Pick<Plan, "samples">,
  { arms, pair: [reference, treatment] }: { arms: readonly WholeArm[]; pair: readonly [string, string] },
): SkillEvidence {
  const families = pairsOf(arms, { reference, treatment });
  const pairs = families.flat();
  const costs = families.map((items) => items.flatMap(costOf));
  const isCounted = costs.flat().length === pairs.length;
  return {
    skill,
    differences: families.map((items) => items.map(difference)),
    baseRate: knownMean(pairs, (pair) => passedShare(pair.reference)) ?? 0,
    counts: plan.samples === 1 ? countsOf(pairs) : null,
    costs: isCounted ? costs : null,
  };
}

/** Returns one arm's outcomes by its name. */
export function outcomesOf(arms: readonly WholeArm[], name: string): Outcome[] {
  const found = arms.find(({ arm }) => arm.arm === name);
  assert(found !== undefined, `the plan pairs an arm ${name} that it does not have`);
  return found.outcomes;
}

/** Families apart, each with its items' pairs. */
function pairsOf(
  arms: readonly WholeArm[],
  { reference, treatment }: { reference: string; treatment: string },
): ItemPair[][] {
  const after = outcomesOf(arms, treatment);
  const pairs = outcomesOf(arms, reference).map((before, index): ItemPair => {
    assert(after[index]?.item === before.item, "two arms lie in different orders");
    return { family: before.family, reference: before.samples, treatment: (after[index] as Outcome).samples };
  });
  return [...groupBy(pairs, (pair) => pair.family).values()];
}

function figuresOf(
  { alpha, seed, samples, lookAlpha }: Asked,
  families: readonly (readonly ItemPair[])[],
): Omit<PairFigures, "reference" | "treatment"> {
  const pairs = families.flat();
  const differences = families.map((items) => items.map(difference));
  const estimate = pairedDifference(differences);
  const counts = samples === 1 ? countsOf(pairs) : null;
  const decidingAlpha = lookAlpha ?? alpha;
  return {
    n: pairs.length,
    families: families.length,
    difference: estimate.difference,
    ...(lookAlpha !== undefined && { alpha: lookAlpha }),
    clusterInterval: decidingRates({ differences, counts }, decidingAlpha),
    bootstrapInterval: bootstrapInterval(differences, { alpha, seed }),
    oneTry: counts === null ? null : oneTryOf(counts, alpha),
    variance: samples === 1 || pairs.length < 2 ? null : varianceParts(pairs.map(sampleDifferences)),
    minimumDetectable: minimumDetectable(estimate, { alpha: decidingAlpha, counts }),
    tokenRatio: tokenRatio(families, alpha),
    costRatio: costRatioOf(families, { alpha, seed }),
    secondary: Object.entries(SECONDARY).flatMap(([metric, of]) => secondaryOf(metric, families, { of, alpha })),
  };
}

function oneTryOf(counts: PairedCounts, alpha: number): PairFigures["oneTry"] {
  const tests = mcnemar(counts);
  return { ...counts, newcombeInterval: newcombeInterval(counts, alpha), ...tests, holmP: tests.midP };
}

function countsOf(pairs: readonly ItemPair[]): PairedCounts {
  return countPairs(
    pairs.map(({ reference, treatment }) => ({
      reference: reference[0]?.passed === true,
      treatment: treatment[0]?.passed === true,
    })),
  );
}

function difference({ reference, treatment }: ItemPair): number {
  return passedShare(treatment) - passedShare(reference);
}

function passedShare(samples: readonly Sample[]): number {
  return knownMean(samples, (one) => Number(one.passed)) ?? 0;
}

function sampleDifferences({ reference, treatment }: ItemPair): number[] {
  return treatment.map((one, index) => Number(one.passed) - Number(reference[index]?.passed));
}

function tokenRatio(families: readonly (readonly ItemPair[])[], alpha: number): PairFigures["tokenRatio"] {
  const amounts = families.map((items) =>
    items.flatMap((pair) => {
      const [reference, treatment] = [pair.reference, pair.treatment].map((samples) => tokensOf(samples));
      return reference == null || treatment == null ? [] : [{ reference, treatment }];
    }),
  );
  const isCounted = amounts.every((items, index) => items.length === families[index]?.length);
  return isCounted ? ratioOfMeans(amounts, alpha) : null;
}

function costRatioOf(
  families: readonly (readonly ItemPair[])[],
  { alpha, seed }: { alpha: number; seed: number },
): PairFigures["costRatio"] {
  const costs = families.map((items) => items.flatMap(costOf));
  if (costs.some((items, index) => items.length !== families[index]?.length)) return null;
  const found = costRatio(costs, alpha);
  const interval = found === null ? null : costBootstrap(costs, { alpha, seed });
  if (found === null) return null;
  const isTold = interval !== null && Number.isFinite(interval.high) && interval.low < interval.high;
  return { ratio: found.ratio, interval: isTold ? interval : null };
}

function costOf({ reference, treatment }: ItemPair): PairedCost[] {
  const [before, after] = [tokensOf(reference), tokensOf(treatment)];
  if (before === null || after === null) return [];
  const solved = (samples: readonly Sample[]) => knownMean(samples, (one) => Number(one.solved)) ?? 0;
  return [
    {
      reference: { spent: before, solved: solved(reference) },
      treatment: { spent: after, solved: solved(treatment) },
    },
  ];
}

function tokensOf(samples: readonly Sample[]): number | null {
  return knownMean(samples, (one) => one.completionTokens);
}

function secondaryOf(
  metric: string,
  families: readonly (readonly ItemPair[])[],
  { of, alpha }: { of: (samples: readonly Sample[]) => number | null; alpha: number },
): PairFigures["secondary"] {
  const differences = families.map((items) =>
    items.flatMap(({ reference, treatment }) => {
      const [before, after] = [of(reference), of(treatment)];
      return before === null || after === null ? [] : [after - before];
    }),
  );
  if (differences.some((items, index) => items.length !== families[index]?.length)) return [];
  const estimate = pairedDifference(differences);
  const interval = hasSpread(estimate) ? meanInterval(estimate, alpha) : null;
  return [{ metric, difference: estimate.difference, interval, holmP: twoSided(estimate) }];
}

/**
 * The p value of the t statistic; where families agree exactly there is none, so there it is the sign test's, of as many
 * families that all favour one arm. Null below two families.
 * Source: Conover 1999, Practical Nonparametric Statistics, section 3.4 (sign test).
 */
function twoSided(estimate: PairedDifference): number | null {
  const { difference: mean, standardError, families } = estimate;
  if (standardError === null) return null;
  if (!hasSpread(estimate)) return mean === 0 ? 1 : 2 ** (1 - families);
  return 2 * studentTCdf(-Math.abs(mean / standardError), families - 1);
}

/** Over the secondary figures of all pairs, that can be told. */
function holmOfSecondary(figures: readonly PairFigures[]): PairFigures[] {
  const raw = figures.flatMap(({ secondary }) => secondary.flatMap(({ holmP }) => holmP ?? []));
  const adjusted = holm(raw);
  let next = 0;
  return figures.map((pair) => ({
    ...pair,
    secondary: pair.secondary.map((one) => (one.holmP === null ? one : { ...one, holmP: adjusted[next++] as number })),
  }));
}

function holmOfPairs(figures: readonly PairFigures[]): PairFigures[] {
  const adjusted = holm(figures.map(({ oneTry }) => oneTry?.midP ?? 1));
  return figures.map((pair, index) => ({
    ...pair,
    oneTry: pair.oneTry === null ? null : { ...pair.oneTry, holmP: adjusted[index] as number },
  }));
}

/** A mean; null where one of its parts is not known. */
function knownMean<T>(values: readonly T[], of: (value: T) => number | null): number | null {
  let sum = 0;
  for (const value of values) {
    const part = of(value);
    if (part === null) return null;
    sum += part;
  }
  return values.length === 0 ? null : sum / values.length;
}
