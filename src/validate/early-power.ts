/**
 * What a planned gate could show where its comparison may end early. No formula is at hand for looks by an interval over families
 * that bets have to agree with, so the rule itself is run on seeded draws, and what it costs against one look at the end is
 * carried into the formulas of `statistics/gate-power.ts`. Pure.
 */
import { random } from "../foundation/random.ts";
import type { GateSettings } from "../records/gate.ts";
import { type GatePower, gatePower, lagOf, type PlannedGate, type PlannedSkill } from "../statistics/gate-power.ts";
import type { PairedOutcome } from "../statistics/paired-counts.ts";
import { openLooks, type Stop } from "./sequential.ts";

/** Draws of plans of few items, and of many, whose draws are dear: a chance is told to about a point (its standard error is 0.8 and 1.1 at most). */
const [DRAWS, DRAWS_OF_MANY, MANY_ITEMS] = [4000, 2000, 500];
/** A plan that would need more is taken to lag as one of so many does: bets lag by the root of a logarithm of the items. */
const MOST_ITEMS = 2000;

const WON: PairedOutcome = { reference: false, treatment: true };
const LOST: PairedOutcome = { reference: true, treatment: false };
const NEITHER: PairedOutcome = { reference: false, treatment: false };

/** Families are alike in size and take turns, as in a plan of them. */
export interface EarlyLook {
  difference: number;
  alpha: number;
  gate: GateSettings;
}

/**
 * Returns the share of draws in which a comparison that may end early finds a candidate better that is so by `difference`. The
 * draws of a plan are the same each time.
 * Units: fractions. A family's own difference is normal about the whole one, kept within what can differ, and spreads by what the
 * design effect of the skill comes from.
 */
export function foundEarly(skill: PlannedSkill, { difference, alpha, gate }: EarlyLook): number {
  const { items, designEffect } = skill;
  const discordant = Math.max(skill.discordant, Math.abs(difference));
  const families = Array.from({ length: items }, (_, index) => `${index % skill.families}`);
  const inFamily = Math.max(1, items / skill.families - 1);
  const familySd = Math.sqrt(((discordant - difference ** 2) * Math.min(inFamily, designEffect - 1)) / inFamily);
  const draws = random("early power", items, skill.families, discordant, difference);
  const count = items < MANY_ITEMS ? DRAWS : DRAWS_OF_MANY;
  let found = 0;
  for (let k = 0; k < count; k++) {
    const favours = Array.from({ length: skill.families }, () => {
      const favour = difference + familySd * normal(draws.next(), draws.next());
      return Math.min(discordant, Math.max(-discordant, favour));
    });
    const looks = openLooks({ families, alpha, gate });
    for (let [index, verdict] = [0, null as Stop["verdict"]]; index < items && verdict === null; index++) {
      verdict = looks.add(drawPair(draws.next(), { discordant, favour: favours[index % skill.families] as number }));
      found += Number(verdict === "better");
    }
  }
  return found / count;
}

function drawPair(u: number, { discordant, favour }: { discordant: number; favour: number }): PairedOutcome {
  if (u >= discordant) return NEITHER;
  return u < (discordant + favour) / 2 ? WON : LOST;
}

/** Source: Box and Muller 1958, Annals of Mathematical Statistics 29:610. */
function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}

/** As `gatePower`, of a comparison that may end early: with one sample an item, as `--sequential` has it. */
export function earlyGatePower(plan: PlannedGate, difference: number, gate: GateSettings): GatePower {
  // Of so few families no look finds anything, and what more of them would lag by is not known.
  if (plan.primary.families < plan.minFamilies) return { ...gatePower(plan, difference), neededItems: null };
  const lagAt = (items: number, asked: number) => {
    const size = Math.max(plan.primary.items, Math.min(items, MOST_ITEMS));
    const families = Math.floor((plan.primary.families * size) / plan.primary.items);
    const primary = { ...plan.primary, items: size, families };
    const found = foundEarly(primary, { difference: asked, alpha: plan.alpha, gate });
    return lagOf({ ...plan, primary }, { difference: asked, power: within(found) });
  };
  const primaryLag = lagAt(plan.primary.items, difference);
  const here = gatePower({ ...plan, primaryLag }, difference);
  // A lag hardly changes with items and differences, so it is enough to reckon it once where the first one leads to.
  const again = (items: number, asked: number) => gatePower({ ...plan, primaryLag: lagAt(items, asked) }, difference);
  const { detectable, neededItems } = here;
  return {
    ...here,
    detectable: detectable === null ? null : again(plan.primary.items, detectable).detectable,
    neededItems: neededItems === null ? null : again(neededItems, difference).neededItems,
  };
}

/** A share that no draw or every draw came to says only that it is near. */
function within(share: number): number {
  return Math.min(1 - 0.5 / DRAWS, Math.max(0.5 / DRAWS, share));
}
