import { describe, expect, it } from "vitest";
import { bestBanding, comparedFraction } from "../../../src/curate/near/banding.ts";

describe("the chance of being compared", () => {
  // Mining of Massive Datasets, section 3.4.2: 20 bands of 5 rows.
  it.each([
    [0.2, 0.006],
    [0.3, 0.047],
    [0.4, 0.186],
    [0.5, 0.47],
    [0.6, 0.802],
    [0.7, 0.975],
    [0.8, 0.9996],
  ])("is the textbook's at a similarity of %f", (similarity, expected) => {
    expect(Math.abs(comparedFraction(similarity, { bands: 20, rows: 5 }) - expected)).toBeLessThan(0.0006);
  });
});

describe("the best banding", () => {
  const even = { missed: 0.5, inVain: 0.5 };

  // What datasketch 2.0.0 chooses, by another rule of integration.
  it.each([
    [0.5, 128, 25, 5],
    [0.7, 128, 14, 9],
    [0.8, 64, 5, 11],
    [0.85, 128, 8, 16],
    [0.9, 128, 5, 25],
  ])("for %f and %i places with even weights is another program's", (threshold, places, bands, rows) => {
    expect(bestBanding(threshold, places, even)).toEqual({ bands, rows });
  });

  it("misses fewer pairs than with even weights, as pairs are verified", () => {
    expect(bestBanding(0.85, 128)).toEqual({ bands: 11, rows: 11 });
    expect(comparedFraction(0.9, bestBanding(0.85, 128))).toBeGreaterThan(0.98);
    expect(comparedFraction(0.9, bestBanding(0.85, 128, even))).toBeLessThan(0.85);
  });

  it("can be worked out by hand for two places", () => {
    // Threshold 1/2, even weights. Areas in vain and missed: (1,1) 1/8 + 1/8; (1,2) 1/24 + 5/24; (2,1) 5/24 + 1/24.
    // All three are 1/4, so the more weight a missed pair has, the more bands; and the fewer, the more rows.
    expect(bestBanding(0.5, 2, { missed: 0.9, inVain: 0.1 })).toEqual({ bands: 2, rows: 1 });
    expect(bestBanding(0.5, 2, { missed: 0.1, inVain: 0.9 })).toEqual({ bands: 1, rows: 2 });
  });
});
