/** The same questions answered here and by scipy and statsmodels. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { random } from "../../src/foundation/random.ts";
import { bootstrapInterval } from "../../src/statistics/bootstrap.ts";
import { costRatio, type PairedCost } from "../../src/statistics/cost-per-success.ts";
import { holm } from "../../src/statistics/holm.ts";
import { mcnemar } from "../../src/statistics/mcnemar.ts";
import { newcombeInterval } from "../../src/statistics/newcombe.ts";
import { nonInferiority } from "../../src/statistics/non-inferiority.ts";
import type { PairedCounts } from "../../src/statistics/paired-counts.ts";
import { clusterInterval, pairedDifference } from "../../src/statistics/paired-difference.ts";
import { studentTQuantile } from "../../src/statistics/student-t.ts";
import { varianceParts } from "../../src/statistics/variance-parts.ts";
import { wilsonInterval } from "../../src/statistics/wilson.ts";
import { betsAfterEach } from "./discordant-bets.ts";
import { drawFamilies } from "./simulated-families.ts";

const PEERS = join(PACKAGE_FOLDER, ".venv-statistics", "bin", "python");
const hasPeers = existsSync(PEERS);
if (!hasPeers) console.log(`skipped: scipy and statsmodels are not there (${PEERS}): make statistics installs them`);

const ALPHA = 0.05;
const draws = random("peers", "questions");

async function answersTo(questions: { of: string }[]): Promise<Record<string, number & number[]>[]> {
  const script = join(PACKAGE_FOLDER, "test", "statistics", "peers.py");
  const { stdout } = await execa(PEERS, [script], { input: JSON.stringify(questions) });
  return JSON.parse(stdout) as Record<string, number & number[]>[];
}

function someFamilies(familySd: number): number[][] {
  return drawFamilies({ families: 16, items: 240, discordance: 0.25, difference: 0.06, familySd }, draws);
}

describe.skipIf(!hasPeers)("statistics and their peers", () => {
  test("McNemar's p-values are those of statsmodels and scipy", async () => {
    const tables = Array.from({ length: 40 }, (_, i) => {
      const [both, onlyTreatment, other, neither] = [80, 25, 25, 80].map((most) => draws.integer(0, most));
      const onlyReference = i % 4 === 0 ? onlyTreatment : other;
      return { both, onlyTreatment, onlyReference, neither } as Record<string, number> & Parameters<typeof mcnemar>[0];
    });
    const answers = await answersTo(tables.map((table) => ({ of: "exact_mcnemar", ...table })));
    for (const [i, table] of tables.entries()) {
      const { exactP, midP } = mcnemar(table);
      expect(exactP).toBeCloseTo(answers[i]?.exactP as number, 10);
      expect(midP).toBeCloseTo(answers[i]?.midP as number, 10);
    }
  });

  test("Wilson's interval, Holm's p-values and quantiles of t are theirs", async () => {
    const rates = Array.from({ length: 30 }, () => {
      const n = draws.integer(1, 400);
      return { n, passed: draws.integer(0, n) };
    });
    const ps = Array.from({ length: 20 }, () => Array.from({ length: draws.integer(1, 8) }, () => draws.next() ** 3));
    const places = [1, 2, 9, 13, 29, 400].flatMap((df) => [0.6, 0.8, 0.975, 0.995].map((p) => ({ df, p })));
    const answers = await answersTo([
      ...rates.map((rate) => ({ of: "wilson", alpha: ALPHA, ...rate })),
      ...ps.map((p) => ({ of: "holm", p })),
      ...places.map((place) => ({ of: "t_quantile", ...place })),
    ]);
    for (const [i, { n, passed }] of rates.entries()) {
      const interval = wilsonInterval(passed, n, ALPHA);
      expect(interval.low).toBeCloseTo(answers[i]?.low as number, 10);
      expect(interval.high).toBeCloseTo(answers[i]?.high as number, 10);
    }
    for (const [i, p] of ps.entries()) {
      const theirs = answers[rates.length + i]?.adjusted as number[];
      for (const [k, adjusted] of holm(p).entries()) expect(adjusted).toBeCloseTo(theirs[k] as number, 12);
    }
    for (const [i, { df, p }] of places.entries()) {
      const theirs = answers[rates.length + ps.length + i]?.quantile as number;
      expect(studentTQuantile(p, df) / theirs).toBeCloseTo(1, 9);
    }
  });

  test("the cluster-robust interval is that of least squares with each family left out in turn", async () => {
    const samples = Array.from({ length: 10 }, (_, i) => someFamilies(i % 2 === 0 ? 0 : 0.1));
    const answers = await answersTo(samples.map((families) => ({ of: "cluster", alpha: ALPHA, families })));
    for (const [i, families] of samples.entries()) {
      const estimate = pairedDifference(families);
      const interval = clusterInterval(estimate, ALPHA);
      expect(estimate.difference).toBeCloseTo(answers[i]?.difference as number, 12);
      expect((estimate.standardError ?? 0) / (answers[i]?.standardError as number)).toBeCloseTo(1, 9);
      expect(interval?.low).toBeCloseTo(answers[i]?.low as number, 9);
      expect(interval?.high).toBeCloseTo(answers[i]?.high as number, 9);
    }
  });

  test("the BCa bootstrap over families is scipy's, as far as two sets of draws agree", async () => {
    const samples = Array.from({ length: 6 }, () => someFamilies(0.1));
    const resamples = 20_000;
    const answers = await answersTo(samples.map((families) => ({ of: "bca", alpha: ALPHA, resamples, families })));
    for (const [i, families] of samples.entries()) {
      const interval = bootstrapInterval(families, { alpha: ALPHA, seed: 1, resamples });
      const [low, high] = [answers[i]?.low as number, answers[i]?.high as number];
      // An end of 20,000 resamples is uncertain by about 2 % of the interval's width.
      expect(Math.abs((interval?.low ?? 1) - low)).toBeLessThan(0.05 * (high - low));
      expect(Math.abs((interval?.high ?? 1) - high)).toBeLessThan(0.05 * (high - low));
    }
  });

  test("Newcombe's interval and that of a solved item's cost are those of a second way to them", async () => {
    const tables = Array.from({ length: 40 }, () => {
      const [both, onlyTreatment, onlyReference, neither] = [60, 20, 20, 60].map((most) => draws.integer(0, most));
      return { both, onlyTreatment, onlyReference, neither } as PairedCounts;
    });
    const samples = Array.from({ length: 10 }, someCosts);
    const answers = await answersTo([
      ...tables.map((table) => ({ of: "newcombe", alpha: ALPHA, ...table })),
      ...samples.map((families) => ({ of: "cost_ratio", alpha: ALPHA, families: families.map((one) => one.map(row)) })),
    ]);
    for (const [i, table] of tables.entries()) {
      const interval = newcombeInterval(table, ALPHA);
      expect(interval.low).toBeCloseTo(answers[i]?.low as number, 9);
      expect(interval.high).toBeCloseTo(answers[i]?.high as number, 9);
    }
    for (const [i, families] of samples.entries()) {
      const theirs = answers[tables.length + i];
      const found = costRatio(families, ALPHA);
      expect(found?.ratio).toBeCloseTo(theirs?.ratio as number, 9);
      expect(found?.interval?.low).toBeCloseTo(theirs?.low as number, 9);
      expect(found?.interval?.high).toBeCloseTo(theirs?.high as number, 9);
    }
  });

  test("parts of a variance are those of scipy's F, bets of a product of forecasts, and non-inferiority two one-sided tests", async () => {
    const scores = Array.from({ length: 10 }, (_, i) => {
      const spread = i % 2 === 0 ? 1 : 0;
      return Array.from({ length: 12 }, () => {
        const own = spread * draws.next();
        return Array.from({ length: 4 }, () => own + draws.next());
      });
    });
    const wins = [0.5, 0.7, 0.3].map((favour) => Array.from({ length: 80 }, () => Number(draws.next() < favour)));
    const values = Array.from({ length: 30 }, (_, i) =>
      Array.from({ length: 40 }, () => 0.1 * (draws.next() - 0.5) - 0.003 * i),
    );
    const margin = 0.03;
    const answers = await answersTo([
      ...scores.map((one) => ({ of: "variance_parts", scores: one })),
      ...wins.map((one) => ({ of: "bets", wins: one })),
      ...values.map((one) => ({ of: "non_inferior", values: one, margin, alpha: ALPHA })),
    ]);
    for (const [i, one] of scores.entries()) {
      const { between, within } = varianceParts(one);
      expect(between).toBeCloseTo(answers[i]?.between as number, 10);
      expect(within).toBeCloseTo(answers[i]?.within as number, 10);
    }
    for (const [i, one] of wins.entries()) {
      const theirs = answers[scores.length + i]?.better as number[];
      const ours = betsAfterEach(one.map((win) => win === 1));
      for (const [k, { better }] of ours.entries()) expect(better / (theirs[k] as number)).toBeCloseTo(1, 9);
    }
    const outcomes = answers.slice(scores.length + wins.length).map(({ low, high, outcome }) => {
      expect(nonInferiority({ low: low as number, high: high as number }, margin)).toBe(outcome);
      return String(outcome);
    });
    expect([...new Set(outcomes)].sort()).toEqual(["failed", "inconclusive", "passed"]);
  });
});

function someCosts(): PairedCost[][] {
  return Array.from({ length: 12 }, () =>
    Array.from({ length: draws.integer(2, 9) }, () => ({
      reference: { spent: 50 + 100 * draws.next(), solved: Number(draws.next() < 0.5) },
      treatment: { spent: 40 + 80 * draws.next(), solved: Number(draws.next() < 0.6) },
    })),
  );
}

function row({ reference, treatment }: PairedCost): number[] {
  return [treatment.spent, treatment.solved, reference.spent, reference.solved];
}
