import { describe, expect, test } from "vitest";
import { nonInferiority } from "../../src/statistics/non-inferiority.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { requiredItems } from "../../src/statistics/power.ts";
import { band, REPEATS, shareOf, type Truth } from "./simulated-families.ts";

const MARGIN = 0.03;
const ALPHA = 0.05;

describe("non-inferiority", () => {
  test("passes above the margin, fails below it, and is open where the interval holds it", () => {
    expect(nonInferiority({ low: -0.02, high: 0.05 }, MARGIN)).toBe("passed");
    expect(nonInferiority({ low: -0.03, high: 0.05 }, MARGIN)).toBe("inconclusive");
    expect(nonInferiority({ low: -0.2, high: -0.031 }, MARGIN)).toBe("failed");
    expect(nonInferiority(null, MARGIN)).toBe("inconclusive");
  });

  test("passes what is worse by the whole margin in no more than half of alpha", () => {
    const scene: Truth = { families: 14, items: 600, discordance: 0.1, difference: -MARGIN, familySd: 0 };
    const share = shareOf("boundary", scene, (families) => {
      return nonInferiority(clusterInterval(pairedDifference(families), ALPHA), MARGIN) === "passed";
    });
    console.log(`non-inferiority at the margin: passes ${(100 * share).toFixed(1)} % of ${REPEATS}`);
    expect(share).toBeLessThan(0.03 + band(0.025));
  });

  test("passes what is as good about 80 % of the time at the items that it names", () => {
    const families = 20;
    const discordance = 0.1;
    // Independent items: the standard error of n items is the root of discordance / n.
    const estimate = { difference: 0, standardError: Math.sqrt(discordance / 100), families };
    const interval = clusterInterval(estimate, ALPHA) ?? { low: 0, high: 0 };
    const items = requiredItems({ ...estimate, n: 100, interval, bound: -MARGIN, truth: 0 }, ALPHA);
    expect(items).not.toBeNull();
    const scene: Truth = { families, items: items ?? 0, discordance, difference: 0, familySd: 0 };
    const power = shareOf("named items", scene, (drawn) => {
      return nonInferiority(clusterInterval(pairedDifference(drawn), ALPHA), MARGIN) === "passed";
    });
    console.log(`non-inferiority with ${items} items: equal models pass ${(100 * power).toFixed(1)} %`);
    expect(power).toBeGreaterThan(0.77 - band(0.2));
    expect(power).toBeLessThan(0.85 + band(0.2));
  });
});
