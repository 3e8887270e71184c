/**
 * Seeded simulations of tip credit: tips with known effects, found as often as it is said, and useless ones called
 * something no more often than it is said. The figures are printed. `TRACEMILL_LONG=1` runs the full counts.
 */
import { expect, test, vi } from "vitest";
import { type Random, random } from "../../src/foundation/random.ts";
import { meanOf } from "../../src/foundation/sums.ts";
import { confidenceSequence, effectEValue } from "../../src/statistics/confidence-sequence.ts";
import { hajekContrast } from "../../src/statistics/hajek-contrast.ts";
import { isBelowMeanUtility } from "../../src/statistics/mean-utility.ts";
import { normalQuantile } from "../../src/statistics/normal.ts";
import { type NoisyEffect, shrinkEffects } from "../../src/statistics/shrinkage.ts";
import { judgeTips } from "../../src/statistics/tip-retirement.ts";
import { chanceBand, percent, repeats, simulateDraws, WORLD, type World } from "./simulated-draws.ts";
import { looksUntilEnd } from "./simulated-memory.ts";

vi.setConfig({ testTimeout: 3_600_000 });

const ALPHA = 0.05;
const DROP_PROBABILITIES = [0.2, 0.5];
const BASES = [0.05, 0.3, 0.6];
const EFFECTS = [-0.3, -0.1, 0, 0.1, 0.3];

/** Coverage of the t interval of the contrast, and how far its estimates lie from the truth on average. */
function contrastOver(world: World, count: number): { covered: number; bias: number; told: number } {
  const draws = random("contrast", JSON.stringify(world));
  const errors: number[] = [];
  let covered = 0;
  for (let k = 0; k < count; k++) {
    const history = simulateDraws(world, draws);
    const truth = meanOf(history.effects);
    const { estimate, interval } = hajekContrast(history.draws, ALPHA);
    if (estimate === null || interval === null) continue;
    errors.push(estimate - truth);
    if (interval.low <= truth && truth <= interval.high) covered += 1;
  }
  return { covered: covered / errors.length, bias: meanOf(errors), told: errors.length };
}

test("the contrast recovers known effects: its interval holds the truth about 95 % of the time", () => {
  const count = repeats(4000, 80);
  const cells: ReturnType<typeof contrastOver>[] = [];
  for (const base of BASES) {
    for (const dropProbability of DROP_PROBABILITIES) {
      const row = EFFECTS.map((effect) => {
        const world = { ...WORLD, base, effect, dropProbabilities: [dropProbability], runs: 2, items: 40 };
        return contrastOver(world, count);
      });
      const text = row.map(({ covered, bias }) => `${percent(covered)} (bias ${bias.toFixed(3)})`).join(", ");
      console.log(`base ${base}, drop ${dropProbability}, effects ${EFFECTS.join(" ")}: ${text}`);
      cells.push(...row);
    }
  }
  for (const { covered, bias, told } of cells) {
    expect(told).toBeGreaterThan(0.9 * count);
    expect(covered).toBeGreaterThan(0.93 - chanceBand(0.07, told));
    expect(Math.abs(bias)).toBeLessThan(0.005 + (3 * 0.12) / Math.sqrt(told));
  }
  const shares = cells.map(({ covered }) => covered);
  expect(meanOf(shares)).toBeGreaterThan(0.94 - chanceBand(0.06, count * cells.length));
  expect(meanOf(shares)).toBeLessThan(0.97 + chanceBand(0.03, count * cells.length));
});

test("the contrast holds with other designs: runs that drop unequally, many runs over few items, few draws", () => {
  const count = repeats(4000, 100);
  const worlds: [string, Partial<World>][] = [
    ["four runs dropping 0.2 and 0.5 by turns", { runs: 4, dropProbabilities: [0.2, 0.5] }],
    ["eight runs over 12 unlike items", { runs: 8, items: 12, itemSd: 0.25 }],
    ["effects that differ from item to item", { runs: 4, items: 40, effect: 0.1, effectSd: 0.15 }],
    ["six other tips at once", { runs: 2, items: 40, otherTips: 6, effect: -0.1 }],
    ["one attempt at 40 items", { items: 40, attempts: 1 }],
    ["15 items, a fifth dropped", { items: 15, dropProbabilities: [0.2] }],
    ["15 hard items, a fifth dropped", { items: 15, base: 0.05, dropProbabilities: [0.2] }],
  ];
  for (const [name, parts] of worlds) {
    const { covered, bias, told } = contrastOver({ ...WORLD, ...parts }, count);
    console.log(`${name}: ${percent(covered)} of ${told} told (of ${count}), bias ${bias.toFixed(3)}`);
    expect(covered).toBeGreaterThan(0.925 - chanceBand(0.07, told));
  }
});

test("the confidence sequence, looked at after every draw, ever misses the truth at most 5 % of the time", () => {
  const count = repeats(4000, 50);
  const worlds: [string, Partial<World>][] = EFFECTS.flatMap((effect) => [
    [`effect ${effect}, half dropped`, { effect, base: 0.4, items: 100 }],
    [`effect ${effect}, a fifth dropped`, { effect, base: 0.4, items: 100, dropProbabilities: [0.2] }],
  ]);
  worlds.push(
    ["hard items", { base: 0.05, itemSd: 0.05, items: 100 }],
    ["runs that drop unequally", { items: 40, runs: 4, dropProbabilities: [0.5, 0.2] }],
    ["effects that differ and cancel", { items: 60, runs: 2, effectSd: 0.4, base: 0.5 }],
    ["eight runs over 12 unlike items", { runs: 8, items: 12, itemSd: 0.25 }],
  );
  for (const [name, parts] of worlds) {
    const draws = random("sequence", name);
    let missed = 0;
    for (let k = 0; k < count; k++) {
      const history = simulateDraws({ ...WORLD, ...parts }, draws);
      let sum = 0;
      const everMissed = confidenceSequence(history.draws, ALPHA).some(({ low, high }, i) => {
        sum += history.effects[i] as number;
        return sum / (i + 1) < low || sum / (i + 1) > high;
      });
      if (everMissed) missed += 1;
    }
    console.log(`looked at after every draw, ${name}: ever missed ${percent(missed / count)}`);
    expect(missed / count).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, count));
  }
});

test("the t interval of the contrast does not stand looking after every few draws, which is why it retires nothing", () => {
  const count = repeats(2000, 60);
  const draws = random("peeking");
  let missed = 0;
  for (let k = 0; k < count; k++) {
    const history = simulateDraws({ ...WORLD, items: 200 }, draws).draws;
    for (let n = 20; n <= history.length; n += 10) {
      const { interval } = hajekContrast(history.slice(0, n), ALPHA);
      if (interval !== null && (interval.low > 0 || interval.high < 0)) {
        missed += 1;
        break;
      }
    }
  }
  console.log(`t interval of a useless tip, looked at every 10 draws: ever apart from 0 ${percent(missed / count)}`);
  expect(missed / count).toBeGreaterThan(0.15);
});

test("draws until a tip is retired or called helpful", () => {
  const count = repeats(400, 11);
  const tips = [1, 5, 20];
  for (const effect of process.env.TRACEMILL_LONG ? [-0.3, -0.2, -0.1, 0.2] : [-0.3, 0.2]) {
    for (const dropProbability of DROP_PROBABILITIES) {
      const rng = random("power", `${effect} ${dropProbability}`);
      const needed = Array.from({ length: count }, () => drawsUntilCalled(effect, { dropProbability, tips, rng }));
      const variance = 0.25 / (dropProbability * (1 - dropProbability));
      for (const [i, among] of tips.entries()) {
        const sorted = needed.map((byTips) => byTips[i] as number).sort((x, y) => x - y);
        const [median, most] = [0.5, 0.9].map((part) => sorted[Math.floor(part * count)] as number);
        console.log(
          `effect ${effect}, drop ${dropProbability}, the only one called of ${among}: ${median} draws, 90 % by ${most}`,
        );
        // The variance of a pseudo-outcome at a pass rate of a half, and what the best stake would leave to be paid for
        // not having been known.
        const expected = (2 * variance * (Math.log(among / ALPHA) + 1)) / effect ** 2;
        expect(median).toBeLessThan(1.5 * expected);
      }
    }
  }
});

/** For each number of tips judged together: after how many draws this one would be called were it the only one. */
function drawsUntilCalled(
  effect: number,
  { dropProbability, tips, rng }: { dropProbability: number; tips: readonly number[]; rng: Random },
): number[] {
  const items = Math.ceil(400 / effect ** 2 / (4 * dropProbability * (1 - dropProbability)) / 4);
  const world = { ...WORLD, items, attempts: 1, base: 0.5, effect, dropProbabilities: [dropProbability] };
  const { draws } = simulateDraws(world, rng);
  const side = effect < 0 ? "below" : "above";
  const needed = tips.map(() => Number.POSITIVE_INFINITY);
  for (let n = 10; n <= draws.length && needed.includes(Number.POSITIVE_INFINITY); n += Math.ceil(n / 40)) {
    const e = effectEValue(draws.slice(0, n), { threshold: 0, side });
    for (const [i, among] of tips.entries()) if (e >= among / ALPHA) needed[i] = Math.min(needed[i] as number, n);
  }
  return needed;
}

test("useless tips are retired or called helpful no more often than stated, however often one looks", () => {
  const count = repeats(400, 6);
  const scenes: [string, number[]][] = [
    ["20 useless tips", new Array(20).fill(0)],
    ["14 useless, 4 harmful by 0.3, 2 helpful by 0.3", [...new Array(14).fill(0), -0.3, -0.3, -0.3, -0.3, 0.3, 0.3]],
  ];
  for (const [name, effects] of scenes) {
    const rng = random("memory", name);
    const falseRetired: number[] = [];
    const falseHelpful: number[] = [];
    const found: number[] = [];
    for (let k = 0; k < count; k++) {
      const { retired, helpful } = looksUntilEnd(effects, {
        looks: 20,
        itemsALook: 60,
        dropProbability: 0.5,
        alpha: ALPHA,
        rng,
      });
      falseRetired.push(falseShare(retired, (tip) => (effects[tip] as number) >= 0));
      falseHelpful.push(falseShare(helpful, (tip) => (effects[tip] as number) <= 0));
      const harmful = effects.flatMap((effect, tip) => (effect < 0 ? [tip] : []));
      if (harmful.length > 0) found.push(harmful.filter((tip) => retired.has(tip)).length / harmful.length);
    }
    console.log(
      `${name}: false among the retired ${percent(meanOf(falseRetired))}, among the helpful ${percent(meanOf(falseHelpful))}` +
        (found.length > 0 ? `; harmful ones retired ${percent(meanOf(found))}` : ""),
    );
    expect(meanOf(falseRetired)).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, count));
    expect(meanOf(falseHelpful)).toBeLessThanOrEqual(ALPHA + chanceBand(ALPHA, count));
    if (found.length > 0) expect(meanOf(found)).toBeGreaterThan(0.3);
  }
});

function falseShare(called: ReadonlySet<number>, isFalse: (tip: number) => boolean): number {
  return called.size === 0 ? 0 : [...called].filter(isFalse).length / called.size;
}

test("the classic rule retires good tips of hard items and keeps bad ones of easy items", () => {
  const count = repeats(2000, 100);
  const rng = random("classic");
  const sharesOf = (parts: Partial<World>) => {
    const world = { ...WORLD, items: 60, dropProbabilities: [0.5], otherTips: 0, ...parts };
    let classic = 0;
    let judged = 0;
    for (let k = 0; k < count; k++) {
      const { draws } = simulateDraws(world, rng);
      const read = draws.filter((draw) => draw.isShown).map((draw) => draw.outcome);
      if (isBelowMeanUtility(read, { atLeast: 10, below: 0.3 })) classic += 1;
      if (judgeTips([{ tip: "it", draws }], { alpha: ALPHA })[0]?.call === "retired") judged += 1;
    }
    return { classic: classic / count, judged: judged / count };
  };
  const goodOfHard = sharesOf({ base: 0.05, itemSd: 0.02, effect: 0.1 });
  const badOfEasy = sharesOf({ base: 0.9, itemSd: 0.02, effect: -0.3 });
  console.log(
    `helps hard items: retired by mean utility ${percent(goodOfHard.classic)}, by draws ${percent(goodOfHard.judged)}`,
  );
  console.log(
    `harms easy items: retired by mean utility ${percent(badOfEasy.classic)}, by draws ${percent(badOfEasy.judged)}`,
  );
  expect(goodOfHard.classic).toBeGreaterThan(0.9);
  expect(goodOfHard.judged).toBeLessThan(0.02);
  expect(badOfEasy.classic).toBeLessThan(0.02);
  expect(badOfEasy.judged).toBeGreaterThan(0.3);
});

test("shrunken effects lie nearer to the truth, and their intervals cover about 95 % on average over a family", () => {
  const count = repeats(4000, 100);
  const rng = random("shrinkage");
  const normal = (sd: number) => sd * normalQuantile(rng.next() || 0.5);
  const groups: [string, number, () => number][] = [
    ["5 tips, effects of sd 0.1", 5, () => 0.05 + normal(0.1)],
    ["12 tips, effects of sd 0.1", 12, () => 0.05 + normal(0.1)],
    ["8 tips, all the same", 8, () => 0.05],
    ["12 tips, of which a fourth harm by 0.3", 12, () => (rng.next() < 0.25 ? -0.3 : 0)],
  ];
  for (const [name, tips, effectOf] of groups) {
    let covered = 0;
    let own = 0;
    let shrunken = 0;
    for (let k = 0; k < count; k++) {
      const truths = Array.from({ length: tips }, effectOf);
      const noisy: NoisyEffect[] = truths.map((truth) => {
        const standardError = 0.05 + 0.1 * rng.next();
        return { estimate: truth + normal(standardError), standardError, degreesOfFreedom: 1000 };
      });
      for (const [i, { estimate, interval }] of (shrinkEffects(noisy, ALPHA)?.effects ?? []).entries()) {
        const truth = truths[i] as number;
        if (interval.low <= truth && truth <= interval.high) covered += 1;
        own += ((noisy[i] as NoisyEffect).estimate - truth) ** 2;
        shrunken += (estimate - truth) ** 2;
      }
    }
    const share = covered / (count * tips);
    console.log(`${name}: covers ${percent(share)}, squared error ${(shrunken / own).toFixed(2)} of the unshrunken`);
    expect(share).toBeGreaterThan(0.93 - chanceBand(0.06, count));
    expect(shrunken).toBeLessThan(own);
  }
});

test("effects of a family that were estimated from draws are shrunk nearer to the truth, and covered as often as said", () => {
  const count = repeats(1000, 30);
  const tips = 8;
  const rng = random("family");
  let covered = 0;
  let told = 0;
  let own = 0;
  let shrunken = 0;
  for (let k = 0; k < count; k++) {
    const truths: number[] = [];
    const noisy: NoisyEffect[] = [];
    for (let tip = 0; tip < tips; tip++) {
      const effect = 0.05 + 0.1 * normalQuantile(rng.next() || 0.5);
      const items = 15 + Math.floor(30 * rng.next());
      const { draws, effects } = simulateDraws({ ...WORLD, items, effect, dropProbabilities: [0.4], base: 0.35 }, rng);
      const { estimate, standardError, degreesOfFreedom } = hajekContrast(draws, ALPHA);
      if (estimate === null || standardError === null || degreesOfFreedom === null) continue;
      truths.push(meanOf(effects));
      noisy.push({ estimate, standardError, degreesOfFreedom });
    }
    for (const [i, { estimate, interval }] of (shrinkEffects(noisy, ALPHA)?.effects ?? []).entries()) {
      const truth = truths[i] as number;
      told += 1;
      if (interval.low <= truth && truth <= interval.high) covered += 1;
      own += ((noisy[i] as NoisyEffect).estimate - truth) ** 2;
      shrunken += (estimate - truth) ** 2;
    }
  }
  console.log(
    `8 tips from 15 to 44 items each: covers ${percent(covered / told)}, squared error ${(shrunken / own).toFixed(2)} of the unshrunken`,
  );
  expect(covered / told).toBeGreaterThan(0.93 - chanceBand(0.06, count));
  expect(shrunken).toBeLessThan(own);
});
