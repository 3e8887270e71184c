import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { decide, watchPairs, writePlan } from "../../src/validate/index.ts";
import { type PairSeen, sequentialAxis, stopOf } from "../../src/validate/sequential.ts";
import { withHome } from "../store/sample-run.ts";
import { clock, FOUND, letters, type SampleArm, sampleDraft, writeAdapter, writeArm } from "./sample-comparison.ts";

const won: PairSeen = { reference: false, treatment: true };
const lost: PairSeen = { reference: true, treatment: false };
const tied: PairSeen = { reference: true, treatment: true };

describe("pairs in the plan's order", () => {
  test("are enough as soon as the bets are, and what comes later changes nothing", () => {
    const wins = Array.from({ length: 30 }, () => won);
    const { items, verdict } = stopOf(wins, 0.05);
    expect(verdict).toBe("better");
    expect(items).toBeLessThan(12);
    expect(stopOf([...wins.slice(0, items), ...wins.map(() => lost)], 0.05)).toMatchObject({ items, verdict });
    expect(stopOf([tied, ...wins], 0.05)).toMatchObject({ items: items + 1, verdict });
    expect(
      stopOf(
        wins.map(() => lost),
        0.05,
      ),
    ).toMatchObject({ items, verdict: "worse" });
  });

  test("are looked at on where more than 2 % of those up to a sure answer have no verdict, which stays the answer", () => {
    const wins = Array.from({ length: 12 }, () => won);
    const after = Array.from({ length: 60 }, () => lost);
    const stop = stopOf([null, ...wins, ...after], 0.05);
    expect(stop).toMatchObject({ items: 50, verdict: "better", state: { wins: 8, pairs: 8 } });
    const watch = watchPairs(73, 0.05);
    const sureAt = [null, ...wins, ...after].findIndex((pair, index) => {
      watch.note("reference", index, pair?.reference ?? null);
      watch.note("treatment", index, pair?.treatment ?? null);
      return watch.isSure();
    });
    expect(sureAt).toBe(49);
    // Where they never become few enough, all are looked at, and the comparison is not valid.
    expect(stopOf([null, ...wins, ...after.slice(0, 20)], 0.05)).toMatchObject({ items: 33, verdict: "better" });
  });

  test("are all looked at where they never tell", () => {
    const even = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? won : lost));
    expect(stopOf(even, 0.05)).toMatchObject({ items: 40, verdict: null });
  });
});

test("the axis passes where bets and interval agree, and not by bets alone", () => {
  const stop = stopOf(
    Array.from({ length: 30 }, () => won),
    0.05,
  );
  const axis = { ...{ axis: "sql", kind: "primary" as const, isLetPass: false, estimate: 0.5, interval: null } };
  const judged = { ...axis, threshold: "above 0", reason: "as it was", neededItems: null };
  const outcomeOf = (outcome: "passed" | "inconclusive") => sequentialAxis({ ...judged, outcome }, stop, 0.05).outcome;
  expect([outcomeOf("passed"), outcomeOf("inconclusive")]).toEqual(["passed", "inconclusive"]);
});

test("a watch that is told in any order is sure exactly when the whole prefix is", () => {
  const draws = random("sequential", "watch");
  for (let round = 0; round < 20; round++) {
    const pairs = Array.from({ length: 25 }, () => ({ reference: draws.next() < 0.1, treatment: draws.next() < 0.8 }));
    const { items, verdict } = stopOf(pairs, 0.05);
    const watch = watchPairs(pairs.length, 0.05);
    const told = draws.shuffle(
      pairs.flatMap((pair, index) => [
        { arm: "reference" as const, index, passed: pair.reference },
        { arm: "treatment" as const, index, passed: pair.treatment },
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

describe("a comparison that may end early", () => {
  let families: string[];
  beforeAll(async () => {
    families = await letters("test", 10);
  });
  /** After ten items neither arm attempts any more. */
  const upTo =
    (most: number, passed: boolean): SampleArm["outcome"] =>
    ({ family, n }) =>
      families.indexOf(family) * 3 + n < most ? { passed } : "no-attempt";

  test("is decided on the items that it looked at, by the bets", () =>
    withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const plan = await writePlan(home, { ...sampleDraft(families, 3, adapter), sequential: true }, clock);
      const runs = [
        await writeArm(home, plan, { arm: "base", number: 1, outcome: upTo(14, false) }),
        await writeArm(home, plan, { arm: "candidate", number: 2, outcome: upTo(13, true) }),
      ];
      const decision = await decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
      const { n } = decision.arms[0] as (typeof decision.arms)[number];
      expect(n).toBeLessThan(12);
      // Three families are too few for the interval, whatever the bets say.
      expect(decision).toMatchObject({ verdict: "inconclusive", hasPassed: false, dropped: [] });
      expect(decision.axes[0]).toMatchObject({ outcome: "inconclusive", threshold: "an e-value of 40.0" });
      expect(decision.axes[0]?.reason).toContain(`The bets are sure after ${n} items; over families it is not shown`);
      expect(decision.reasons.join()).toContain(`It was sure after ${n} of 30 items`);
    }));

  test("goes on over an item that was given up, and is valid once it is one of fifty", () =>
    withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const plan = await writePlan(home, { ...sampleDraft(families, 6, adapter), sequential: true }, clock);
      const outcome = (passed: boolean): SampleArm["outcome"] => {
        return ({ family, n }) => (family === families[0] && n === 0 ? "no-verdict" : { passed });
      };
      const runs = [
        await writeArm(home, plan, { arm: "base", number: 1, outcome: outcome(false) }),
        await writeArm(home, plan, { arm: "candidate", number: 2, outcome: outcome(true) }),
      ];
      const decision = await decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
      expect(decision.arms[0]?.n).toBe(49);
      expect(decision.dropped).toHaveLength(1);
    }));

  test("that ended before it was sure is not valid", () =>
    withHome(async (home) => {
      const adapter = await writeAdapter(home, { trainedOn: await letters("train", 5) });
      const plan = await writePlan(home, { ...sampleDraft(families, 3, adapter), sequential: true }, clock);
      const runs = [
        await writeArm(home, plan, { arm: "base", number: 1, outcome: upTo(4, false) }),
        await writeArm(home, plan, { arm: "candidate", number: 2, outcome: upTo(4, true) }),
      ];
      const deciding = decide(home, plan.comparisonHash, { runs, found: FOUND, clock });
      await expect(deciding).rejects.toMatchObject({ code: "INCOMPLETE_ARM" });
    }));
});
