/**
 * What earlier comparisons tell of how far differences spread: by how it came out, never by who won.
 */
import { shortHash } from "../foundation/hashing.ts";
import type { Decision } from "../records/comparison.ts";
import type { PerWhat } from "../records/gate.ts";
import { familyCorrelation, plannedHalfWidth } from "../statistics/planned-power.ts";
import { listDecisions } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { readPlan } from "../store/manifests.ts";
import { ENOUGH_ITEMS } from "./deciding-interval.ts";

/** What is known of a skill before a comparison of it. */
export interface EarlierSpread {
  /** Share of the items on which the arms differed. */
  discordant: number;
  /** By how much two items of one family rise and fall together, 0 to 1; null where families of one item do not tell. */
  familyCorrelation: number | null;
  source: string;
}

/** The last decided pair on the skill's validation split: the test split is not looked at to plan a look at it. */
export async function earlierSpread(home: Home, skill: string): Promise<EarlierSpread | null> {
  for (const decision of (await listDecisions(home)).decisions.reverse()) {
    const plan = await readPlan(home, decision.comparisonHash);
    const spread = plan.skill.id === skill && plan.split === "validation" ? spreadOf(decision) : null;
    if (spread !== null)
      return { ...spread, source: `comparison ${shortHash(decision.comparisonHash)} on the validation split` };
  }
  return null;
}

/** Null where too few items differed for the interval to be one over families. */
function spreadOf({ pairs: [pair], alpha: alphaOfAll, adapterHash }: Decision): Omit<EarlierSpread, "source"> | null {
  if (adapterHash === null || pair === undefined || pair.oneTry === null || pair.clusterInterval === null) return null;
  const { onlyTreatment, onlyReference } = pair.oneTry;
  const { n, families, difference, clusterInterval: interval, alpha = alphaOfAll } = pair;
  if (pair.minimumDetectable === null || onlyTreatment + onlyReference < ENOUGH_ITEMS) return null;
  const discordant = (onlyTreatment + onlyReference) / n;
  // An interval of rates is cut to what rates can be.
  const reach = Math.max(interval.high - difference, difference - interval.low);
  const standardError = reach / plannedHalfWidth(families, alpha);
  const designEffect = (standardError ** 2 * n) / (discordant - difference ** 2);
  return { discordant, familyCorrelation: familyCorrelation({ n, families }, designEffect) };
}

/**
 * How far the differences of a set's texts spread in the last comparison that was judged by it; such texts belong to no split.
 * What groups cost is in it. Units: nats, of one text; those of another unit
 * are passed over.
 */
export async function earlierTexts(
  home: Home,
  { set, per, texts, groups }: { set: string; per: PerWhat; texts: number; groups: number },
) {
  if (groups < 2) return null;
  for (const { axes, alpha, comparisonHash } of (await listDecisions(home)).decisions.reverse()) {
    const judged = axes.find(
      ({ axis, kind, threshold }) => kind === "side" && axis === set && threshold.endsWith(` a ${per}`),
    );
    const interval = judged?.interval ?? null;
    if (interval === null || interval.low === interval.high) continue;
    const standardError = (interval.high - interval.low) / 2 / plannedHalfWidth(groups, alpha);
    return { sd: standardError * Math.sqrt(texts), source: `comparison ${shortHash(comparisonHash)}` };
  }
  return null;
}
