/**
 * The runs whose items tell in which split an item and a family lie, so that what was held out in one of them is never trained on.
 */
import { shortHash } from "../foundation/hashing.ts";
import type { RunId } from "../records/ids.ts";
import type { Revocation } from "../records/ledger-entries.ts";
import type { Home } from "../store/home.ts";
import { coveredRuns, revocations, type SealedRun, sealedRuns } from "../store/ledger.ts";
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
  const said = revocations(home);
  const revokedOf = (kind: Revocation["kind"]) =>
    new Set(said.flatMap((one) => (one.kind === kind ? [one.target] : [])));
  const revokedRuns = revokedOf("run");
  const revokedDatasets = revokedOf("dataset");
  const datasets = covered.size === 0 ? [] : await listDatasets(home);
  const standing = datasets.filter(({ datasetHash }) => !revokedDatasets.has(datasetHash));
  const waysOut = ({ run, skill }: SealedRun): string[] => {
    if (!covered.has(run)) return [revoking(run)];
    const dataset = standing.find(({ inputs }) => inputs.runs.some((input) => input.run === run));
    return [
      ...(dataset === undefined ? [] : [revoking(shortHash(dataset.datasetHash))]),
      ...(chosen.includes(run) ? [`tracemill export --skill ${skill} (without --runs it leaves out ${run})`] : []),
    ];
  };
  const ways = new Map<RunId, string>();
  for (const sealed of sealedRuns(home).values()) {
    const out = withRevoked || !revokedRuns.has(sealed.run) ? waysOut(sealed) : [];
    if (out.length > 0) ways.set(sealed.run, out.join(" and "));
  }
  return ways;
}

function revoking(what: string): string {
  return `tracemill revoke ${what} --reason WHY`;
}
