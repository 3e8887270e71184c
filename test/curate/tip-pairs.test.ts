/**
 * Pairs of tips, by hand and by seeded simulation: known effects are found back as often as is said, and tips that are worth
 * the same make pairs no more often than is said. The figures are printed. `TRACEMILL_LONG=1` runs the full counts.
 */
import { describe, expect, it, vi } from "vitest";
import { type ComparedTip, capPerTip, crediblePairs, isComparable } from "../../src/curate/tip-pairs.ts";
import { type Random, random } from "../../src/foundation/random.ts";
import { meanOf, sumOf } from "../../src/foundation/sums.ts";
import type { TipId } from "../../src/records/ids.ts";
import { CREDIT_RULE, creditTips, type TipCredit } from "../../src/statistics/tip-credit.ts";
import type { TipDraw } from "../../src/statistics/tip-draw.ts";
import { chanceBand, percent, repeats } from "../statistics/simulated-draws.ts";

vi.setConfig({ testTimeout: 3_600_000 });

const ALPHA = 0.05;
const FAMILY = 5;

/** A tip of which this is known, shrunken or not. */
function known(tip: string, estimate: number, standardError: number, shrunken = estimate): ComparedTip {
  const interval = { low: estimate - 2 * standardError, high: estimate + 2 * standardError };
  const effect = { kind: "randomised", estimate, standardError, degreesOfFreedom: 30, interval };
  return { tip, credit: { effect, shrunken: { estimate: shrunken, standardError, interval } } as unknown as TipCredit };
}

describe("pairs of tips", () => {
  const good = known("good", 0.3, 0.05);
  const bad = known("bad", -0.1, 0.05);
  const middling = known("middling", 0.2, 0.05);

  it("put the one that is worth more first, the surest pair first, with an interval that leaves 0 out", () => {
    const { kept, refused } = crediblePairs(
      [
        [bad, good],
        [middling, bad],
        [middling, good],
      ],
      ALPHA,
    );
    expect(kept.map(({ chosen, rejected }) => [chosen.tip, rejected.tip])).toEqual([
      ["good", "bad"],
      ["middling", "bad"],
    ]);
    expect(kept.every(({ interval, rate }) => interval.low > 0 && rate < ALPHA)).toBe(true);
    expect(refused).toMatchObject([{ chosen: good, rejected: middling }]);
    expect(refused[0]?.interval.low).toBeLessThan(0);
  });

  it("are not made by shrinking alone, nor against what the draws by themselves say", () => {
    const drawnIn = known("drawn-in", 0.02, 0.05, 0.3);
    const turned = known("turned", -0.4, 0.05, 0.3);
    expect(crediblePairs([[drawnIn, known("none", 0, 0.05)]], ALPHA).kept).toEqual([]);
    expect(crediblePairs([[turned, known("none", 0, 0.05)]], ALPHA).kept).toEqual([]);
  });

  it("need more of a difference the more of them are tested", () => {
    const near = known("near", 0.16, 0.05);
    const none = Array.from({ length: 20 }, (_, i) => known(`none-${i}`, 0, 0.05));
    const alone = crediblePairs([[near, known("none", 0, 0.05)]], ALPHA);
    const idle = none.slice(1).map((one): [ComparedTip, ComparedTip] => [one, none[0] as ComparedTip]);
    expect(alone.kept).toHaveLength(1);
    expect(crediblePairs([[near, known("none", 0, 0.05)], ...idle], ALPHA).kept).toHaveLength(0);
  });

  it("hold each tip so many times at most, the surest first", () => {
    const { kept } = crediblePairs(
      [
        [bad, good],
        [middling, bad],
      ],
      ALPHA,
    );
    const { kept: capped, refused } = capPerTip(kept, 1);
    expect(capped.map(({ chosen }) => chosen.tip)).toEqual(["good"]);
    expect(refused.map(({ chosen }) => chosen.tip)).toEqual(["middling"]);
    expect(crediblePairs([], ALPHA)).toEqual({ kept: [], refused: [] });
  });
});

interface Scene {
  /** One a tip, family by family. */
  effects: readonly number[];
  /** How much less often the later tips of a family are retrieved, as a factor a tip. */
  rarer?: number;
  dropProbability?: number;
  items?: number;
  /** Tests the pairs of two families, as those of a ranker are, in place of those of one. */
  isAcross?: boolean;
}

/** Two tips in each of two attempts at each item, which end with the first success; each tip has its own draw. */
function history({ effects, rarer = 1, dropProbability = 0.5, items = 500 }: Scene, rng: Random): TipDraw[][] {
  const draws: TipDraw[][] = effects.map(() => []);
  const weights = effects.map((_, tip) => rarer ** (tip % FAMILY));
  for (let i = 0; i < items; i++) {
    const rate = 0.4 + 0.2 * rng.next();
    for (let attemptNumber = 1; attemptNumber <= 2; attemptNumber++) {
      const first = drawn(weights, rng);
      const second = drawn(weights.with(first, 0), rng);
      const shown = [first, second].map((tip) => ({ tip, isShown: rng.next() >= dropProbability }));
      const shift = sumOf(shown, ({ tip, isShown }) => (isShown ? (effects[tip] as number) : 0));
      const outcome = rng.next() < rate + shift ? 1 : 0;
      for (const { tip, isShown } of shown)
        draws[tip]?.push({ item: `item ${i}`, attemptNumber, isShown, dropProbability, outcome });
      if (outcome === 1) break;
    }
  }
  return draws;
}

function drawn(weights: readonly number[], rng: Random): number {
  let left = rng.next() * sumOf(weights);
  const place = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return place === -1 ? weights.findLastIndex((weight) => weight > 0) : place;
}

/** What came of so many histories: pairs that are wrong, pairs that were found, intervals that hold the truth. */
function simulate(name: string, scene: Scene, count: number) {
  const rng = random("tip-pairs", name);
  const wrongShares: number[] = [];
  const found: number[] = [];
  const covered: number[] = [];
  let withPairs = 0;
  for (let k = 0; k < count; k++) {
    const tips = history(scene, rng).map((draws, i) => ({
      tip: `${i}` as TipId,
      family: `family ${Math.floor(i / FAMILY)}`,
      effect: scene.effects[i] as number,
      draws,
    }));
    const credits = creditTips(tips, { ...CREDIT_RULE, alpha: ALPHA });
    const compared = tips
      .map((tip) => ({ ...tip, credit: credits.get(tip.tip) as TipCredit }))
      .filter(({ credit }) => isComparable(credit));
    for (const { credit, effect } of compared) {
      const { low, high } = credit.shrunken?.interval ?? { low: -1, high: 1 };
      covered.push(low <= effect && effect <= high ? 1 : 0);
    }
    const pairs = compared.flatMap((one, i) =>
      compared
        .slice(i + 1)
        .filter(({ family }) => (family === one.family) !== (scene.isAcross ?? false))
        .map((other) => [one, other] as const),
    );
    const { kept } = crediblePairs(pairs, ALPHA);
    const wrong = kept.filter(({ chosen, rejected }) => chosen.effect <= rejected.effect).length;
    const apart = pairs.filter(([one, other]) => one.effect !== other.effect).length;
    if (kept.length > 0) withPairs += 1;
    wrongShares.push(kept.length === 0 ? 0 : wrong / kept.length);
    if (apart > 0) found.push((kept.length - wrong) / apart);
  }
  const told = { paired: withPairs / count, wrong: meanOf(wrongShares), covered: meanOf(covered) };
  console.log(
    `${name}: pairs in ${percent(told.paired)} of ${count} histories, wrong among the pairs ${percent(told.wrong)}` +
      `${found.length > 0 ? `, found ${percent(meanOf(found))} of the true ones` : ""}; intervals hold ${percent(told.covered)}`,
  );
  return { ...told, found: found.length > 0 ? meanOf(found) : null };
}

const count = repeats(2000, 60);
const fours = (effects: readonly number[]) => [0, 1, 2, 3].flatMap(() => effects);

it("tips that are worth the same make a pair in no more histories than alpha", () => {
  const scenes: [string, Scene][] = [
    ["20 useless tips", { effects: fours([0, 0, 0, 0, 0]) }],
    ["20 tips that all add 15 points", { effects: fours([0.15, 0.15, 0.15, 0.15, 0.15]) }],
    [
      "useless tips, some retrieved rarely, a fifth dropped",
      { effects: fours([0, 0, 0, 0, 0]), rarer: 0.6, dropProbability: 0.2 },
    ],
    ["useless tips, few draws", { effects: fours([0, 0, 0, 0, 0]), items: 120 }],
  ];
  for (const [name, scene] of scenes) {
    const { paired, covered } = simulate(name, scene, count);
    expect(paired).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, count));
    expect(covered).toBeGreaterThan(0.93);
  }
});

it("of pairs across families no more are wrong than alpha either, however unlike the families are", () => {
  const oneGood = [0.2, 0.2, 0.2, 0.2, 0.2, ...new Array(15).fill(0)];
  const lonely = [...new Array(15).fill(0), 0, 0.2, 0.2, 0.2, 0.2]; // drawn in by a family that is better than it
  const scenes: [string, Scene][] = [
    ["across: 20 useless tips", { effects: fours([0, 0, 0, 0, 0]), isAcross: true }],
    ["across: tips of -20, 0, 0, 0, +20 points", { effects: fours([-0.2, 0, 0, 0, 0.2]), items: 1500, isAcross: true }],
    ["across: one good family", { effects: oneGood, items: 1500, isAcross: true }],
    [
      "across: a useless tip in a good family, rarely retrieved",
      { effects: lonely.toReversed(), rarer: 0.6, isAcross: true },
    ],
  ];
  for (const [name, scene] of scenes) {
    const { wrong } = simulate(name, scene, count);
    expect(wrong).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, count));
  }
});

it("of tips that differ the pairs are wrong no more often than alpha, and the clear ones are found", () => {
  const scenes: [string, Scene, number | null][] = [
    ["tips of -20, 0, 0, 0, +20 points", { effects: fours([-0.2, 0, 0, 0, 0.2]), items: 1500 }, 0.2],
    ["a rare one like the good ones", { effects: fours([0.2, 0, -0.2, 0, 0.2]), rarer: 0.6, items: 1500 }, 0.1],
    [
      "the good ones all in one family",
      { effects: [0.2, 0.2, 0.2, 0.2, 0.2, ...new Array(15).fill(0)], rarer: 0.7 },
      null,
    ],
  ];
  for (const [name, scene, least] of scenes) {
    const { wrong, found, covered } = simulate(name, scene, repeats(1000, 30));
    expect(wrong).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, repeats(1000, 30)));
    if (least !== null) expect(found).toBeGreaterThan(least);
    expect(covered).toBeGreaterThan(0.92);
  }
});
