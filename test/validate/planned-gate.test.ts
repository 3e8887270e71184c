/**
 * The items that `validate --plan` names for the whole gate, held to what seeded draws of a candidate come to that is 10 points better
 * and harms nothing. `TRACEMILL_LONG=1` runs the full counts.
 */
import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { gatePower } from "../../src/statistics/gate-power.ts";
import { judgeAll, loadAxes } from "../../src/validate/judge.ts";
import { band, REPEATS } from "../statistics/simulated-families.ts";
import { DRAWN, drawEvidence, SPREAD } from "./drawn-evidence.ts";

const axes = await loadAxes();
const GATE = gateSchema.parse({});
const BETTER = 0.1;
const HARMLESS = { primary: BETTER, side: 0, general: 0, cost: 0.9 };
/** What the demo validates on: 104 items of sql in 13 families, 40 of cron, and the questions that ship. */
const DEMO = { families: 13, primary: 104, side: 40, texts: 168 };

function shareOfPasses(sizes: typeof DRAWN): number {
  const draws = random("simulation", `planned ${JSON.stringify(sizes)}`);
  let passes = 0;
  for (let k = 0; k < REPEATS; k++)
    passes += Number(judgeAll(axes, drawEvidence(HARMLESS, { sizes, draws }), GATE).hasPassed);
  return passes / REPEATS;
}

/** Families differ by 3 points (`drawEvidence`), which adds a tenth to the variance of 29 items. */
const DESIGN_EFFECT = 1.1;

test("a harmless candidate that is 10 points better passes in four of five tries at the items that the plan names", () => {
  const { families, primary, side, texts } = DRAWN;
  const plan = {
    primary: { items: primary, families, discordant: SPREAD.primary },
    sides: [{ items: side, families, discordant: SPREAD.side }],
    general: [{ texts, groups: texts, sd: SPREAD.texts }],
    ...{ alpha: GATE.alpha, minFamilies: GATE.primary.minFamilies, designEffect: DESIGN_EFFECT, samples: 1, within: 0 },
    margins: { skills: GATE.skills.margin, general: GATE.general.margin },
  };
  const growth = (gatePower(plan, BETTER).neededItems as number) / primary;
  const grow = (size: number) => Math.ceil(size * growth);
  const needed = { families: grow(families), primary: grow(primary), side: grow(side), texts: grow(texts) };
  const share = shareOfPasses(needed);
  console.log(
    `gate, harmless and 10 points better, ${needed.primary} items: passes ${(100 * share).toFixed(1)} % of ${REPEATS}`,
  );
  expect(share).toBeGreaterThan(0.8 - band(0.8));
  const demo = shareOfPasses(DEMO);
  console.log(`the same with the demo's ${DEMO.primary} items: passes ${(100 * demo).toFixed(1)} % of ${REPEATS}`);
  expect(demo).toBeLessThan(share);
}, 3_600_000);
