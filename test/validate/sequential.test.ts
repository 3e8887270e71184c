/**
 * A comparison that may end early: where it ends, and a seeded simulation of how often it is wrong where families hang together
 * and where what made it stop favours the candidate. `TRACEMILL_LONG=1` runs the full counts.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Random, random } from "../../src/foundation/random.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { unseenShare } from "../../src/statistics/agreeing-items.ts";
import type { Home } from "../../src/store/home.ts";
import cost from "../../src/validate/axes/tokens-per-solved.ts";
import { type ArmRun, decide, renderDecision, watchPairs, writePlan } from "../../src/validate/index.ts";
import { LOOKS, type PairSeen, stopOf } from "../../src/validate/sequential.ts";
import { band, REPEATS } from "../statistics/simulated-families.ts";
import { withHome } from "../store/sample-run.ts";
import { type Drawn, drawPairs, familiesOf } from "./drawn-pairs.ts";
import { clock, FOUND, letters, type SampleOutcome, sampleDraft, writeAdapter, writeArm } from "./sample-comparison.ts";

const won: PairSeen = { reference: false, treatment: true };
const lost: PairSeen = { reference: true, treatment: false };
const tied: PairSeen = { reference: true, treatment: true };

const GATE = gateSchema.parse({});
const ALPHA = 0.05;

/** Pairs of twelve families in turn. */
function lookedAt(items: number) {
  return { families: Array.from({ length: items }, (_, index) => `family ${index % 12}`), alpha: ALPHA, gate: GATE };
}

const pairsOf = (items: number, pair: (index: number) => PairSeen) => Array.from({ length: items }, (_, n) => pair(n));
/** Where it ends and for what, without how the bets stood. */
function stopAt(pairs: readonly PairSeen[]) {
  const { items, verdict } = stopOf(pairs, lookedAt(pairs.length));
  return { items, verdict };
}

describe("pairs in the plan's order", () => {
  test("are enough at the first of four places where they tell, and what comes later changes nothing", () => {
    expect(stopAt(pairsOf(120, () => won))).toEqual({ items: 30, verdict: "better" });
    expect(stopAt(pairsOf(120, () => lost))).toEqual({ items: 30, verdict: "worse" });
    expect(stopAt(pairsOf(120, (n) => (n < 30 ? won : lost)))).toEqual({ items: 30, verdict: "better" });
    expect(stopAt(pairsOf(120, (n) => (n < 30 ? tied : won)))).toEqual({ items: 60, verdict: "better" });
  });

  test("are looked at on where more than 2 % of them have no verdict, or they are of too few families", () => {
    const dropped = (n: number) => (n === 0 ? null : won);
    expect(stopAt(pairsOf(120, dropped))).toEqual({ items: 60, verdict: "better" });
    expect(stopAt(pairsOf(40, dropped))).toEqual({ items: 40, verdict: null });
    const inBlocks = Array.from({ length: 120 }, (_, index) => `family ${Math.floor(index / 10)}`);
    expect(
      stopOf(
        pairsOf(120, () => won),
        { ...lookedAt(120), families: inBlocks },
      ).items,
    ).toBe(120);
  });

  test("are not enough by the interval alone: bets on the pairs that differ have to be sure, too", () => {
    // Of the pairs that differ none is lost; eight wins in a row are what bets ask for at this alpha.
    const few = pairsOf(120, (n) => (n % 12 < 10 && n < 12 ? won : tied));
    const seven = pairsOf(120, (n) => (n % 12 < 7 && n < 12 ? won : tied));
    expect(stopOf(few, lookedAt(120)).bets).toMatchObject({ verdict: "better", state: { pairs: 8 } });
    expect(stopOf(seven, lookedAt(120)).bets).toMatchObject({ verdict: null, state: { pairs: 7 } });
    expect(stopAt(seven)).toEqual({ items: 120, verdict: null });
  });

  test("are all looked at where they never tell", () => {
    expect(stopAt(pairsOf(40, (n) => (n % 2 === 0 ? won : lost)))).toEqual({ items: 40, verdict: null });
  });
});

test("a watch that is told in any order is sure exactly when the pairs up to where it ends are whole", () => {
  const draws = random("sequential", "watch");
  const [some, all] = [pairsOf(50, (n) => (n % 3 === 0 ? won : tied)), pairsOf(50, () => won)];
  for (const pairs of [some, all, pairsOf(50, (n) => (n === 1 ? null : won))]) {
    const { items, verdict } = stopAt(pairs);
    const watch = watchPairs(lookedAt(pairs.length));
    const told = draws.shuffle(
      pairs.flatMap((pair, index) => [
        { arm: "reference" as const, index, passed: pair?.reference ?? null },
        { arm: "treatment" as const, index, passed: pair?.treatment ?? null },
      ]),
    );
    const seen = new Map<number, number>();
    for (const { arm, index, passed } of told) {
      watch.note(arm, index, passed);
      seen.set(index, (seen.get(index) ?? 0) + 1);
      const prefix = pairs.findIndex((_, n) => seen.get(n) !== 2);
      const whole = prefix === -1 ? pairs.length : prefix;
      expect(watch.isSure()).toBe(verdict !== null && whole >= items);
    }
  }
});

describe("a comparison that ends as soon as it is sure", () => {
  test("finds a candidate better that is not in no more than 2.5 % of all tries, be its families alike or not", () => {
    for (const [items, familyBias, discordance] of [
      [117, 0, 0.25],
      [117, 0.2, 0.3],
      [117, 0.3, 0.3],
      [390, 0.2, 0.3],
    ] as const) {
      const draws = random("simulation", `stops ${items} ${familyBias}`);
      const asked = { families: familiesOf(items), alpha: ALPHA, gate: GATE };
      let wrong = 0;
      for (let k = 0; k < REPEATS; k++) {
        const drawn = drawPairs({ discordance, difference: 0, both: 0.5, familyBias }, items, draws);
        wrong += Number(stopOf(drawn, asked).verdict === "better");
      }
      const share = wrong / REPEATS;
      const shown = `${items} items, families that favour an arm by ${100 * familyBias} points`;
      console.log(`${shown}: ends as better in ${(100 * share).toFixed(1)} % of ${REPEATS}`);
      expect(share).toBeLessThan(0.025 + band(0.025));
    }
  });

  test("says of a solved item which costs 1.25 times as much that it does not in no more than 2.5 % of all tries", () => {
    for (const [items, drawn] of [
      [117, { discordance: 0.4, difference: 0.3, both: 0.2, familyBias: 0 }],
      [390, { discordance: 0.3, difference: 0.08, both: 0.1, familyBias: 0 }],
      [390, { discordance: 0.4, difference: 0.1, both: 0, familyBias: 0 }],
    ] as const) {
      const draws = random("simulation", `costs ${items} ${drawn.discordance}`);
      const asked = { families: familiesOf(items), alpha: ALPHA, gate: GATE };
      let [wrong, early] = [0, 0];
      for (let k = 0; k < REPEATS; k++) {
        const pairs = drawPairs(drawn, items, draws);
        const stop = stopOf(pairs, asked);
        wrong += Number(passesCost(drawn, pairs.slice(0, stop.items), draws));
        early += Number(stop.items < items);
      }
      const [share, ended] = [wrong / REPEATS, early / REPEATS];
      const shown = `${items} items, ${(100 * ended).toFixed(1)} % end early`;
      console.log(`${shown}: cost passes in ${(100 * share).toFixed(1)} % of ${REPEATS}`);
      expect(ended).toBeGreaterThan(0.25);
      expect(share).toBeLessThan(0.025 + band(0.025));
    }
  });
});

/** Whether cost passes by these pairs, where a solved item costs the treatment 1.25 times as much. */
function passesCost(drawn: Drawn, pairs: readonly NonNullable<PairSeen>[], draws: Random): boolean {
  const { discordance, difference, both } = drawn;
  const solved = (sign: number) => (discordance + sign * difference) / 2 + (1 - discordance) * both;
  const times = (1.25 * solved(1)) / solved(-1);
  const spent = () => 80 + 40 * draws.next();
  const costs = Array.from({ length: 13 }, (_, family) =>
    pairs
      .filter((__, index) => index % 13 === family)
      .map(({ reference, treatment }) => ({
        reference: { spent: spent(), solved: Number(reference) },
        treatment: { spent: times * spent(), solved: Number(treatment) },
      })),
  );
  const primary = { skill: "sql", differences: costs.map(() => []), baseRate: 0, counts: null, costs };
  const [judged] = cost.judge({ ...NOTHING, primary }, { ...GATE, alpha: ALPHA / LOOKS });
  return judged?.outcome === "passed";
}

const NOTHING = { sides: [], general: [], foreign: [], kl: null, isLive: true, taint: [], leaks: [] };

describe("a comparison that may end early", () => {
  let families: string[];
  beforeAll(async () => {
    families = await letters("test", 10);
  });
  const placeOf = ({ family, n }: { family: string; n: number }) => n * families.length + families.indexOf(family);

  /** Twelve items a family, family after family; an arm's runs bring what is said of each place. */
  async function decided(home: Home, outcomeOf: (place: number, arm: "base" | "candidate") => SampleOutcome) {
    const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
    const draft = sampleDraft(families, 12, adapter);
    const items = Array.from({ length: 12 }, (_, n) => draft.items.filter((_, index) => index % 12 === n)).flat();
    const plan = await writePlan(home, { ...draft, items, sequential: true }, clock);
    const runs: ArmRun[] = [];
    for (const [index, arm] of (["base", "candidate"] as const).entries()) {
      runs.push(await writeArm(home, plan, { arm, number: index + 1, outcome: (at) => outcomeOf(placeOf(at), arm) }));
    }
    return decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
  }

  const better = (arm: string): SampleOutcome => ({ passed: arm === "candidate" });

  test("is decided on the items up to where it was sure, at a quarter of alpha", () =>
    withHome(async (home) => {
      const decision = await decided(home, (place, arm) => (place < 34 ? better(arm) : "no-attempt"));
      expect(decision.arms[0]?.n).toBe(30);
      expect(decision).toMatchObject({ verdict: "better", hasPassed: true, dropped: [] });
      const wide = unseenShare(30, ALPHA / LOOKS);
      const high = decision.axes.find(({ axis }) => axis === "tokens-per-solved")?.interval?.high;
      expect(high).toBeCloseTo(wide, 10); // the base solved none of 30, at the same cost an item
      const reasons = decision.reasons.join();
      expect(reasons).toContain("judged by intervals that err with 1.25 % only");
      expect(reasons).toContain("It was sure after 30 of 120 items and looks at no other.");
    }));

  test("shows the interval that decides, and one number of items that would tell", () =>
    withHome(async (home) => {
      // Six families win three items each and three lose one: at one look that would be above 0.
      const outcomeOf = (place: number, arm: string): SampleOutcome => {
        const [family, n] = [place % families.length, Math.floor(place / families.length)];
        if (family < 6) return { passed: arm === "candidate" && n >= 9 };
        return { passed: arm === "base" && family < 9 && n === 8 };
      };
      const decision = await decided(home, outcomeOf);
      const [axis] = decision.axes;
      const [pair] = decision.pairs;
      expect(axis).toMatchObject({ axis: "letters", outcome: "inconclusive", neededItems: expect.any(Number) });
      expect(pair).toMatchObject({ alpha: ALPHA / LOOKS, clusterInterval: axis?.interval });
      expect(pair?.clusterInterval?.low).toBeLessThan(0);
      const text = renderDecision(decision);
      expect(text).toMatch(/98\.75 %, t over families .*\(this one decides, with the bets\)/);
      expect(text).toContain(`about ${axis?.neededItems} items of more families would show it.`);
      const report = await readFile(join(home.comparisonFolder(decision.comparisonHash), "report.md"), "utf8");
      expect(report).toContain("| 98.75 % interval, t over families |");
      expect(report).toContain(`about ${axis?.neededItems} items of more families would show it.`);
    }));

  test("goes on over an item that was given up, and is valid once it is one of fifty", () =>
    withHome(async (home) => {
      const decision = await decided(home, (place, arm) => (place === 0 ? "no-verdict" : better(arm)));
      expect(decision.arms[0]?.n).toBe(59);
      expect(decision.dropped).toHaveLength(1);
    }));

  test("that ended before it was sure is not valid", () =>
    withHome(async (home) => {
      const deciding = decided(home, (place, arm) => (place < 20 ? better(arm) : "no-attempt"));
      await expect(deciding).rejects.toMatchObject({ code: "INCOMPLETE_ARM" });
    }));
});
