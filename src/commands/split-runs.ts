/**
 * The runs whose items tell in which split an item and a family lie, so that what was held out in one of them is never trained on.
 */
import type { RunId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { coveredRuns, revocations, sealedRuns } from "../store/ledger.ts";
import { listDatasets } from "../store/manifests.ts";

/**
 * Returns every sealed run, but for those that count no more: revoked ones, unless they are meant, and those that another run
 * stands for now, unless they are `chosen` or a dataset that is not revoked was made of them. Throws: as `listDatasets`.
 */
export async function splitRuns(
  home: Home,
  { chosen, withRevoked }: { chosen: readonly RunId[]; withRevoked: boolean },
): Promise<RunId[]> {
  const covered = coveredRuns(home);
  const revoked = new Set(revocations(home).map(({ target }) => target));
  const datasets = covered.size === 0 ? [] : await listDatasets(home);
  const held = datasets.filter(({ datasetHash }) => !revoked.has(datasetHash)).flatMap(({ inputs }) => inputs.runs);
  const read = new Set([...chosen, ...held.map(({ run }) => run)]);
  const counts = (run: RunId) => (!covered.has(run) || read.has(run)) && (withRevoked || !revoked.has(run));
  return [...sealedRuns(home).keys()].filter(counts);
}
