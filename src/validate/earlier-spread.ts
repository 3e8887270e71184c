/**
 * What earlier comparisons tell of how far differences spread: by how it came out, never by who won.
 */
import { shortHash } from "../foundation/hashing.ts";
import type { Decision } from "../records/comparison.ts";
import type { PerWhat } from "../records/gate.ts";
import { plannedHalfWidth } from "../statistics/planned-power.ts";
import { POWER } from "../statistics/power.ts";
import { studentTQuantile } from "../statistics/student-t.ts";
import { listDecisions } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { readPlan } from "../store/manifests.ts";

/** The last decided pair on the skill's validation split: the test split is not looked at to plan a look at it. */
export async function earlierSpread(home: Home, skill: string) {
  for (const decision of (await listDecisions(home)).decisions.reverse()) {
    const plan = await readPlan(home, decision.comparisonHash);
    const spread = plan.skill.id === skill && plan.split === "validation" ? spreadOf(decision) : null;
    if (spread !== null)
      return { ...spread, source: `comparison ${shortHash(decision.comparisonHash)} on the validation split` };
  }
  return null;
}

function spreadOf({
  pairs: [pair],
  alpha: alphaOfAll,
  adapterHash,
}: Decision): { discordant: number; designEffect: number } | null {
  if (adapterHash === null || pair === undefined || pair.oneTry === null || pair.minimumDetectable === null)
    return null;
  const { alpha = alphaOfAll } = pair;
  const { onlyTreatment, onlyReference } = pair.oneTry;
  const discordant = (onlyTreatment + onlyReference) / pair.n;
  const df = pair.families - 1;
  const standardError = pair.minimumDetectable / (studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df));
  const independent = (discordant - pair.difference ** 2) / pair.n;
  if (independent <= 0) return null;
  const spread = standardError ** 2 * (1 - 1 / pair.families); // without what leaving a family out adds, which a plan adds itself
  return { discordant, designEffect: Math.max(1, spread / independent) };
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
