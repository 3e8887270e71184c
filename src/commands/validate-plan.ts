/**
 * `tracemill validate --plan`: what a comparison of these items could show, before any model is loaded.
 */
import { shortHash } from "../foundation/hashing.ts";
import { textTable } from "../foundation/text-table.ts";
import type { Decision } from "../records/comparison.ts";
import type { GateSettings } from "../records/gate.ts";
import { percent, pointsSize } from "../statistics/figures.ts";
import { gatePower, type PlannedGate } from "../statistics/gate-power.ts";
import { POWER } from "../statistics/power.ts";
import { studentTQuantile } from "../statistics/student-t.ts";
import { reuseAlpha } from "../statistics/test-set-reuse.ts";
import type { Home } from "../store/home.ts";
import { listDecisions, readPlan } from "../store/manifests.ts";
import type { OpenPart } from "./validate-draft.ts";
import type { ValidateOptions } from "./validate-input.ts";

/** Shares of items on which two arms differ, where no earlier comparison says one. */
const GRID = [0.05, 0.1, 0.2, 0.3, 0.4];
/** What families cost where none was measured: neither nothing nor the worst. */
const ASSUMED_DESIGN_EFFECT = 1.5;
/** The candidate that is asked about: better by so much, and harmless. */
const ASKED = 0.1;
/** Greedy runs are all alike; where items are sampled, half of the variance is taken to lie within an item. */
const ASSUMED_WITHIN = 0.5;

export interface ComparisonPlan {
  skill: string;
  items: number;
  families: number;
  sides: { skill: string; items: number; families: number }[];
  samples: number;
  alpha: number;
  designEffect: number;
  /** Where discordance and design effect come from. */
  source: string;
  difference: number;
  rows: { discordant: number; detectable: number | null; primary: number; whole: number; neededItems: number | null }[];
}

/** Returns what the comparison could show. Throws: as `readPlan`. */
export async function planComparison(
  { samples }: ValidateOptions,
  { parts, gate, home }: { parts: readonly OpenPart[]; gate: GateSettings; home: Home },
): Promise<ComparisonPlan> {
  const sizes = parts.map(({ part }) => {
    return {
      skill: part.skill.id,
      items: part.items.length,
      families: new Set(part.items.map(({ family }) => family)).size,
    };
  });
  const [primary, ...sides] = sizes as [(typeof sizes)[number], ...typeof sizes];
  const earlier = await earlierSpread(home, primary.skill);
  const alpha = reuseAlpha(gate.alpha, 1);
  const designEffect = earlier?.designEffect ?? ASSUMED_DESIGN_EFFECT;
  const rows = (earlier === null ? GRID : [earlier.discordant]).map((discordant) => {
    const plan: PlannedGate = {
      primary: { ...primary, discordant },
      sides: sides.map((side) => ({ ...side, discordant })),
      ...{ general: [], alpha, designEffect, samples, within: samples === 1 ? 0 : ASSUMED_WITHIN },
      margins: { skills: gate.skills.margin, general: gate.general.margin },
    };
    return { discordant, ...gatePower(plan, ASKED) };
  });
  const source = earlier?.source ?? "assumed, as no comparison on the validation split was decided yet";
  return { ...primary, sides, samples, alpha, designEffect, source, difference: ASKED, rows };
}

/** The last decided pair on the skill's validation split: the test split is not looked at to plan a look at it. */
async function earlierSpread(home: Home, skill: string) {
  for (const decision of (await listDecisions(home)).reverse()) {
    const plan = await readPlan(home, decision.comparisonHash);
    const spread = plan.skill.id === skill && plan.split === "validation" ? spreadOf(decision) : null;
    if (spread !== null)
      return { ...spread, source: `comparison ${shortHash(decision.comparisonHash)} on the validation split` };
  }
  return null;
}

function spreadOf({
  pairs: [pair],
  alpha,
  adapterHash,
}: Decision): { discordant: number; designEffect: number } | null {
  if (adapterHash === null || pair === undefined || pair.oneTry === null || pair.minimumDetectable === null)
    return null;
  const { onlyTreatment, onlyReference } = pair.oneTry;
  const discordant = (onlyTreatment + onlyReference) / pair.n;
  const df = pair.families - 1;
  const standardError = pair.minimumDetectable / (studentTQuantile(1 - alpha / 2, df) + studentTQuantile(POWER, df));
  const independent = (discordant - pair.difference ** 2) / pair.n;
  if (independent <= 0) return null;
  const spread = standardError ** 2 * (1 - 1 / pair.families); // without what leaving a family out adds, which a plan adds itself
  return { discordant, designEffect: Math.max(1, spread / independent) };
}

/** Renders the plan as lines. */
export function comparisonPlanText(plan: ComparisonPlan): string {
  const { skill, items, families, sides, samples, alpha, designEffect, source, difference, rows } = plan;
  const better = `${pointsSize(difference)} points better`;
  return [
    `${items} items of ${families} families of ${skill}, ${samples === 1 ? "one run" : `${samples} runs`} an arm; alpha ${Number(alpha.toPrecision(3))} for the first candidate on them.`,
    ...sides.map((side) => `At the side: ${side.items} items of ${side.families} families of ${side.skill}.`),
    `Variance over that of independent items: ${designEffect.toFixed(2)} (${source}).`,
    "",
    textTable(
      ["arms differ on", "found with 80 %", `${better}: seen`, "passes all skills", "items for 80 %"],
      rows.map((row) => [
        percent(row.discordant),
        row.detectable === null ? "-" : `${pointsSize(row.detectable)} points`,
        percent(row.primary),
        percent(row.whole),
        row.neededItems === null ? "-" : `${row.neededItems}`,
      ]),
    ),
    "",
    `The last columns are of a candidate that is ${better} and harms nothing.`,
  ].join("\n");
}
