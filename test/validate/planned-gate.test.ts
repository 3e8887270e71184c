/**
 * What `validate --plan` says of the whole gate, held to seeded draws of a candidate that is better and harms nothing.
 * `TRACEMILL_LONG=1` runs the full counts.
 */
import { expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { gatePower, type PlannedGate } from "../../src/statistics/gate-power.ts";
import { judgeAll, loadAxes } from "../../src/validate/judge.ts";
import { band, REPEATS } from "../statistics/simulated-families.ts";
import { DRAWN, drawEvidence, SPREAD } from "./drawn-evidence.ts";

const axes = await loadAxes();
const GATE = gateSchema.parse({});
/** What the demo validates on: 104 items of sql in 13 families, 40 of cron, and the questions that ship. */
const DEMO = { families: 13, primary: 104, side: 40, texts: 168 };
/** Families differ by 3 points (`drawEvidence`), which adds a tenth to the variance of 29 items. */
const DESIGN_EFFECT = 1.1;

function planOf({ families, primary, side, texts }: typeof DRAWN): PlannedGate {
  return {
    primary: { items: primary, families, discordant: SPREAD.primary, designEffect: DESIGN_EFFECT },
    sides: [{ items: side, families, discordant: SPREAD.side, designEffect: DESIGN_EFFECT }],
    general: [{ texts, groups: texts, sd: SPREAD.texts, margin: GATE.general.margin }],
    ...{ alpha: GATE.alpha, minFamilies: GATE.primary.minFamilies },
    ...{ samples: 1, within: 0 },
    margin: GATE.skills.margin,
  };
}

function shareOfPasses(sizes: typeof DRAWN, better: number): number {
  const draws = random("simulation", `planned ${JSON.stringify(sizes)}`);
  const truth = { primary: better, side: 0, general: 0, cost: 0.8 };
  let passes = 0;
  for (let k = 0; k < REPEATS; k++)
    passes += Number(judgeAll(axes, drawEvidence(truth, { sizes, draws }), GATE).hasPassed);
  return passes / REPEATS;
}

test("a harmless candidate passes as often as its plan says, within 3 points", () => {
  const sizes = { ...DRAWN, side: 2000 };
  const { whole } = gatePower(planOf(sizes), 0.15);
  const share = shareOfPasses(sizes, 0.15);
  console.log(`gate, planned ${(100 * whole).toFixed(1)} %, passes ${(100 * share).toFixed(1)} % of ${REPEATS}`);
  expect(Math.abs(share - whole)).toBeLessThan(0.03 + band(whole));
}, 3_600_000);

test("a harmless candidate that is 10 points better passes in four of five tries at the items that the plan names", () => {
  const growth = (gatePower(planOf(DRAWN), 0.1).neededItems as number) / DRAWN.primary;
  const grow = (size: number) => Math.ceil(size * growth);
  const { families, primary, side, texts } = DRAWN;
  const needed = { families: grow(families), primary: grow(primary), side: grow(side), texts: grow(texts) };
  const share = shareOfPasses(needed, 0.1);
  console.log(
    `gate, harmless and 10 points better, ${needed.primary} items: passes ${(100 * share).toFixed(1)} % of ${REPEATS}`,
  );
  expect(share).toBeGreaterThan(0.8 - band(0.8));
  const demo = shareOfPasses(DEMO, 0.1);
  console.log(`the same with the demo's ${DEMO.primary} items: passes ${(100 * demo).toFixed(1)} % of ${REPEATS}`);
  expect(demo).toBeLessThan(share);
}, 3_600_000);
