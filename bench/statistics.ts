/**
 * The intervals of 100,000 pairs with 10,000 resamples of their families, against the same in numpy on the same families.
 * The peer draws the counts of families from a multinomial and multiplies; its interval is BCa too.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../src/foundation/errors.ts";
import { random } from "../src/foundation/random.ts";
import { bootstrapInterval } from "../src/statistics/bootstrap.ts";
import { clusterInterval, pairedDifference } from "../src/statistics/paired-difference.ts";
import type { BenchRow } from "./bench-row.ts";

const PAIRS = 100_000;
const RESAMPLES = 10_000;
const FAMILIES = [30, 300, 3000];
const ALPHA = 0.05;

const PEER = `
import json, sys, time
import numpy as np
from scipy import stats
families, pairs, resamples = (int(a) for a in sys.argv[1:])
rng = np.random.default_rng(1)
d = rng.choice([-1.0, 0.0, 1.0], pairs, p=[0.08, 0.8, 0.12])
family = np.arange(pairs) % families
start = time.perf_counter()
sums, sizes = np.bincount(family, d), np.bincount(family).astype(float)
mean = sums.sum() / pairs
se = np.sqrt((((sums - sizes * mean) / (pairs - sizes)) ** 2).sum())
stats.t.interval(0.95, families - 1, mean, se)
draws = np.empty(resamples)
for at in range(0, resamples, 1000):
    n = min(1000, resamples - at)
    weights = rng.multinomial(families, np.full(families, 1 / families), n)
    draws[at : at + n] = (weights @ sums) / (weights @ sizes)
bias = stats.norm.ppf(((draws < mean).sum() + (draws == mean).sum() / 2) / resamples)
left = (sums.sum() - sums) / (pairs - sizes)
off = left.mean() - left
acceleration = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
z = bias + stats.norm.ppf([0.025, 0.975])
np.quantile(draws, stats.norm.cdf(bias + z / (1 - acceleration * z)))
print(json.dumps(time.perf_counter() - start))
`;

export async function benchStatistics(): Promise<BenchRow[]> {
  return FAMILIES.map((families) => {
    const [ours, peer] = [seconds(families), peerSeconds(families)];
    const name = `intervals of ${PAIRS} pairs in ${families} families, ${RESAMPLES} resamples`;
    return { name, ours, peer, ratio: ours / peer, unit: "s" };
  });
}

function seconds(count: number): number {
  const draws = random(1, "bench");
  const families = Array.from({ length: count }, () => [] as number[]);
  for (let i = 0; i < PAIRS; i++) {
    const at = draws.next();
    families[i % count]?.push(at < 0.12 ? 1 : at < 0.2 ? -1 : 0);
  }
  const start = performance.now();
  clusterInterval(pairedDifference(families), ALPHA);
  bootstrapInterval(families, { alpha: ALPHA, seed: 1, resamples: RESAMPLES });
  return (performance.now() - start) / 1000;
}

function peerSeconds(families: number): number {
  const python = join(import.meta.dirname, "../.venv-statistics/bin/python");
  const run = spawnSync(python, ["-c", PEER, String(families), String(PAIRS), String(RESAMPLES)], { encoding: "utf8" });
  if (run.status !== 0)
    throw new Refusal({
      code: "NO_PEER",
      message: "The peer of the statistics benchmark did not run.",
      expected: "numpy and scipy in .venv-statistics",
      got: run.error?.message ?? run.stderr.slice(-300),
      fix: "python3 -m venv .venv-statistics && .venv-statistics/bin/pip install numpy scipy",
    });
  return z.number().parse(JSON.parse(run.stdout));
}
