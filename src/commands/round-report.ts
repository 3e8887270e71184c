/**
 * What one round of loops came to: what its gate said, and how much of what it trained on models had written that were trained
 * on such rows themselves.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Decision } from "../records/comparison.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import { readDiversity, readModelsWithAdapter } from "../store/run-figures.ts";

/** What a round came to, with what tells whether the models feed on themselves. Units: shares as fractions. */
export interface RoundReport {
  round: number;
  adapterHash: string;
  datasetHash: string;
  comparisonHash: string;
  verdict: Decision["verdict"];
  hasPassed: boolean;
  isPromoted: boolean;
  arms: Decision["arms"];
  pairs: Decision["pairs"];
  reasons: string[];
  /** Two-sided error rate of the intervals. */
  alpha: number;
  trainRows: number;
  /** Rows whose answer an adapter wrote, which was trained on such rows itself. */
  selfGenerated: number;
  /** Different verified answers over all verified answers of the collecting run; null where it has none. */
  diversity: number | null;
}

/** Of what a loop gives. */
interface LoopOutcome {
  adapterHash: string;
  datasetHash: string;
  decision: Decision;
  runs: { train: readonly string[] };
}

/** Reports a round. Throws: as `readDatasetManifest` and `openLake`. */
export async function reportOf(
  { adapterHash, datasetHash, decision, runs }: LoopOutcome,
  made: { round: number; isPromoted: boolean },
  home: Home,
): Promise<RoundReport> {
  const { comparisonHash, verdict, hasPassed, arms, pairs, reasons, alpha } = decision;
  const { counts, models } = await readDatasetManifest(home, datasetHash);
  const rows = sumOf(models, (model) => model.rows);
  const { adapters, diversity } = await withLake(home, async (lake) => {
    return { adapters: await readModelsWithAdapter(lake), diversity: await readDiversity(lake, runs.train) };
  });
  const own = sumOf(
    models.filter(({ model }) => model !== null && adapters.has(model)),
    (one) => one.rows,
  );
  return {
    ...made,
    ...{ adapterHash, datasetHash, comparisonHash, verdict, hasPassed, arms, pairs, reasons, alpha },
    trainRows: counts.trainRows,
    selfGenerated: rows === 0 ? 0 : own / rows,
    diversity,
  };
}
