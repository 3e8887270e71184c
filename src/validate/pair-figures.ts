/**
 * All figures of the pairs of a comparison, from outcomes that lie in the same order. Pure.
 */
import { assert } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { Plan } from "../records/comparison.ts";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import { holm } from "../statistics/holm.ts";
import { mcnemar } from "../statistics/mcnemar.ts";
import { newcombeInterval } from "../statistics/newcombe.ts";
import { countPairs } from "../statistics/paired-counts.ts";
import { clusterInterval, pairedDifference } from "../statistics/paired-difference.ts";
import { minimumDetectable } from "../statistics/power.ts";
import { ratioOfMeans } from "../statistics/ratio-of-means.ts";
import type { ArmOutcomes, Outcome } from "./arm-outcomes.ts";
import type { PairFigures } from "./gate.ts";

/** Returns the figures of every pair of the plan, in its order. */
export function pairFigures(plan: Plan, arms: readonly ArmOutcomes[]): PairFigures[] {
  const figures = plan.pairs.map(([reference, treatment]) => {
    return { reference, treatment, ...figuresOf(plan, outcomesOf(arms, reference), outcomesOf(arms, treatment)) };
  });
  const adjusted = holm(figures.map((pair) => pair.midP));
  return figures.map((pair, index) => ({ ...pair, holmP: adjusted[index] as number }));
}

/** Returns one arm's outcomes by its name. */
export function outcomesOf(arms: readonly ArmOutcomes[], name: string): Outcome[] {
  const found = arms.find(({ arm }) => arm.arm === name);
  assert(found !== undefined, `the plan pairs an arm ${name} that it does not have`);
  return found.outcomes;
}

function figuresOf(
  plan: Plan,
  reference: readonly Outcome[],
  treatment: readonly Outcome[],
): Omit<PairFigures, "reference" | "treatment" | "holmP"> {
  const pairs = reference.map((outcome, index) => pairOf(outcome, treatment[index]));
  const families = [...groupBy(pairs, (pair) => pair.family).values()];
  const differences = families.map((items) => items.map((pair) => Number(pair.treatment) - Number(pair.reference)));
  const counts = countPairs(pairs);
  const estimate = pairedDifference(differences);
  return {
    n: pairs.length,
    families: families.length,
    ...counts,
    difference: estimate.difference,
    clusterInterval: clusterInterval(estimate, plan.alpha),
    newcombeInterval: newcombeInterval(counts, plan.alpha),
    bootstrapInterval: bootstrapInterval(differences, { alpha: plan.alpha, seed: plan.seed }),
    ...mcnemar(counts),
    minimumDetectable: minimumDetectable(estimate, plan.alpha),
    tokenRatio: tokenRatio(families, plan.alpha),
  };
}

interface ItemPair {
  family: string;
  reference: boolean;
  treatment: boolean;
  tokens: { reference: number; treatment: number } | null;
}

function pairOf(reference: Outcome, treatment: Outcome | undefined): ItemPair {
  assert(treatment !== undefined && treatment.item === reference.item, "two arms lie in different orders");
  const [before, after] = [reference.completionTokens, treatment.completionTokens];
  return {
    family: reference.family,
    reference: reference.passed,
    treatment: treatment.passed,
    tokens: before === null || after === null ? null : { reference: before, treatment: after },
  };
}

function tokenRatio(families: readonly (readonly ItemPair[])[], alpha: number): PairFigures["tokenRatio"] {
  const amounts = families.map((items) => items.flatMap((pair) => pair.tokens ?? []));
  const isCounted = amounts.every((items, index) => items.length === families[index]?.length);
  return isCounted ? ratioOfMeans(amounts, alpha) : null;
}
