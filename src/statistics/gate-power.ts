/**
 * What a gate of several axes could show, before anything is known of a candidate but a guess of how often the arms differ: the
 * difference that would be seen, and the chance that a candidate which is better and harms nothing passes every axis.
 */
import { plannedDetectable, plannedHalfWidth } from "./planned-power.ts";
import { POWER } from "./power.ts";
import { studentTCdf, studentTQuantile } from "./student-t.ts";

/** Items of one skill. */
export interface PlannedSkill {
  items: number;
  families: number;
  /** The share of them on which two arms are expected to differ. */
  discordant: number;
  /** Variance over that of independent items, at least 1. */
  designEffect: number;
}

/** General texts: the spread of one text's difference, and the margin. Units: nats, of both the same. */
export interface PlannedTexts {
  texts: number;
  groups: number;
  sd: number;
  margin: number;
}

export interface PlannedGate {
  primary: PlannedSkill;
  sides: PlannedSkill[];
  general: PlannedTexts[];
  alpha: number;
  /** By how much further than one interval at `alpha` asks for the primary axis has to come, as of `lagOf`. Units: standard errors. */
  primaryLag?: number;
  /** Below so many families or groups an axis never passes. */
  minFamilies: number;
  /** Samples of an item; `within` is the share of the variance that they take away, 0 to 1. */
  samples: number;
  within: number;
  /** Of the skills at the side, a fraction. */
  margin: number;
}

export interface GatePower {
  /** Smallest true difference that the primary axis finds with 80 % power; null as of `plannedDetectable`. */
  detectable: number | null;
  /** Chance that the primary axis passes, and that all do, for a candidate that is better by `difference` and harms nothing. */
  primary: number;
  whole: number;
  /** Items of the primary skill, all others growing with them, at which the whole passes with 80 %; null beyond a million. */
  neededItems: number | null;
}

const MOST_GROWTH = 1e6;

/**
 * Returns what a planned gate could show of a candidate that is `difference` better: such a one differs on as many items at least, so
 * `discordant` of the primary skill is taken as no less for it. The axes are taken as independent; limits that
 * are not about how often something is solved (canary, lineage, cost) are taken as passed.
 * Units: fractions; `alpha` two-sided.
 * Source: power of a t test to first order, Bloom 1995, Evaluation Review 19:547; that all pass: Berger 1982, Technometrics 24:295.
 */
export function gatePower(plan: PlannedGate, difference: number): GatePower {
  const { primary, alpha, primaryLag: lag = 0 } = plan;
  const { discordant, designEffect } = primary;
  return {
    detectable: plannedDetectable(primary, { discordant, alpha, lag, designEffect, sampleFactor: sampleFactor(plan) }),
    primary: primaryPower(plan, difference, 1),
    whole: wholePower(plan, difference, 1),
    neededItems: neededItems(plan, difference),
  };
}

/**
 * Returns how much further than one interval at `alpha` asks for a candidate that is `difference` better has to come, where its
 * chance to pass the primary axis is known to be `power`, strictly between 0 and 1.
 * Units: standard errors; no less than 0.
 */
export function lagOf(plan: PlannedGate, { difference, power }: { difference: number; power: number }): number {
  const { primary, alpha } = plan;
  const { families, items } = primary;
  const reached = difference / Math.sqrt(primaryVariance(plan, difference) / items);
  const lag = studentTQuantile(1 - power, families - 1) - plannedHalfWidth(families, alpha) + reached;
  return Math.max(0, lag);
}

/** What K samples leave of the variance of one. */
function sampleFactor({ samples, within }: PlannedGate): number {
  return 1 - within + within / samples;
}

function primaryPower(plan: PlannedGate, difference: number, growth: number): number {
  const { primary, primaryLag: lag = 0 } = plan;
  const variance = primaryVariance(plan, difference);
  return powerOf(difference, { ...plan, variance, n: primary.items, groups: primary.families, lag, growth });
}

function primaryVariance(plan: PlannedGate, difference: number): number {
  const discordant = Math.max(plan.primary.discordant, Math.abs(difference));
  return Math.max(0, discordant * sampleFactor(plan) - difference ** 2) * plan.primary.designEffect;
}

function wholePower(plan: PlannedGate, difference: number, growth: number): number {
  const { sides, margin } = plan;
  const bySkill = sides.map(({ items: n, families: groups, discordant, designEffect }) => {
    const variance = discordant * sampleFactor(plan) * designEffect;
    return powerOf(margin, { ...plan, variance, n, groups, growth });
  });
  const byTexts = plan.general.map((set) => textsPower(set, plan, growth));
  return [...bySkill, ...byTexts].reduce((product, power) => product * power, primaryPower(plan, difference, growth));
}

/** Returns the chance that a candidate which harms nothing passes at a set of texts, or at `growth` times as many. */
export function textsPower(
  { texts: n, groups, sd, margin }: PlannedTexts,
  { alpha, minFamilies }: Pick<PlannedGate, "alpha" | "minFamilies">,
  growth = 1,
): number {
  return powerOf(margin, { variance: sd ** 2, n, groups, alpha, minFamilies, growth });
}

/** Chance that a t interval over groups lies above a bound which the truth is above by `distance`. */
function powerOf(
  distance: number,
  {
    variance,
    n,
    groups,
    alpha,
    minFamilies,
    growth,
    lag = 0,
  }: { variance: number; n: number; groups: number; alpha: number; minFamilies: number; growth: number; lag?: number },
): number {
  // Growth that brings the families to the floor exactly may come out a hair below it.
  const grown = Math.floor(groups * growth + 1e-9);
  if (grown < minFamilies) return 0;
  if (variance === 0) return distance > 0 ? 1 : 0;
  const standardError = Math.sqrt(variance / (n * growth));
  return 1 - studentTCdf(plannedHalfWidth(grown, alpha) + lag - distance / standardError, grown - 1);
}

/** Returns the texts at which a candidate that harms nothing passes with 80 %, groups growing with them; null beyond a million. */
export function neededTexts(set: PlannedTexts, asked: Pick<PlannedGate, "alpha" | "minFamilies">): number | null {
  return neededOf(set.texts, (growth) => textsPower(set, asked, growth));
}

function neededItems(plan: PlannedGate, difference: number): number | null {
  return difference <= 0 ? null : neededOf(plan.primary.items, (growth) => wholePower(plan, difference, growth));
}

/** To how many `n` has to grow. */
function neededOf(n: number, power: (growth: number) => number): number | null {
  if (power(MOST_GROWTH) < POWER) return null;
  let [low, high] = [0, 1];
  while (power(high) < POWER) [low, high] = [high, high * 2];
  while ((high - low) * n > 0.5) {
    const middle = (low + high) / 2;
    if (power(middle) < POWER) low = middle;
    else high = middle;
  }
  const needed = Math.ceil(high * n);
  return needed > MOST_GROWTH ? null : needed;
}
