/**
 * The runs whose items tell in which split an item and a family lie, so that what was held out in one of them is never trained on.
 */
import { shortHash } from "../foundation/hashing.ts";
import type { RunId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { coveredRuns, revocations, sealedRuns } from "../store/ledger.ts";
import { listDatasets } from "../store/manifests.ts";

/**
 * Returns every sealed run, each with what takes it out, but for those that count no more: revoked ones, unless they are meant,
 * and those that another run stands for now, unless they are `chosen` or a dataset that is not revoked was made of them.
 * Throws: as `listDatasets`.
 */
export async function splitRuns(
  home: Home,
  { chosen, withRevoked }: { chosen: readonly RunId[]; withRevoked: boolean },
): Promise<Map<RunId, string>> {
  const covered = coveredRuns(home);
  const revoked = new Set(revocations(home).map(({ target }) => target));
  const datasets = covered.size === 0 ? [] : await listDatasets(home);
  const standing = datasets.filter(({ datasetHash }) => !revoked.has(datasetHash));
  const wayOut = (run: RunId): string | null => {
    if (!covered.has(run)) return `tracemill revoke ${run}`;
    if (chosen.includes(run)) return `leave ${run} out of --runs`;
    const dataset = standing.find(({ inputs }) => inputs.runs.some((input) => input.run === run));
    return dataset === undefined ? null : `tracemill revoke ${shortHash(dataset.datasetHash)}`;
  };
  const ways = new Map<RunId, string>();
  for (const run of sealedRuns(home).keys()) {
    const way = withRevoked || !revoked.has(run) ? wayOut(run) : null;
    if (way !== null) ways.set(run, way);
  }
  return ways;
}
