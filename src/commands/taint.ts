/**
 * What a command says of taint before it goes on: a training refuses a tainted dataset, a server warns of an adapter that
 * was trained on one.
 */
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { warn } from "../foundation/progress.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import { openGraph, taintedDatasets, taintOf } from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { readAdapterManifest, readDatasetManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";

/** Returns the tainted datasets, each with whether that is certain. Throws: as `taintedDatasets`. */
export async function allTainted(home: Home): Promise<Map<Hash, { isCertain: boolean }>> {
  const graph = await openGraph(home);
  try {
    return await taintedDatasets(graph);
  } finally {
    await graph.close();
  }
}

/** Throws: `TAINTED_DATASET` with what is revoked of it; `UNKNOWN_DATASET`. */
export async function refuseTainted(home: Home, name: string): Promise<void> {
  const dataset = await readDatasetManifest(home, name);
  const graph = await openGraph(home);
  try {
    const taint = await taintOf(graph, dataset);
    if (taint === null) return;
    const { datasetHash, counts } = dataset;
    throw new Refusal({
      code: "TAINTED_DATASET",
      message: "The dataset holds what was revoked since it was made: an adapter of it would be tainted too.",
      expected: "a dataset without a revoked row",
      got: taint.isCertain
        ? `${taint.rows} of ${counts.trainRows + counts.validationRows} rows are of ${named(taint.by)}`
        : `it does not say what its rows were made from, and its runs have ${named(taint.by)}`,
      where: home.datasetFolder(datasetHash),
      fix: `tracemill dataset rebuild ${shortHash(datasetHash)}, and train on its successor`,
    });
  } finally {
    await graph.close();
  }
}

/** Warns of each adapter that was trained on a tainted dataset. Throws: `UNKNOWN_ADAPTER`, as `taintedDatasets`. */
export async function warnOfTaint(adapters: readonly string[], context: Context): Promise<void> {
  const { home } = context;
  if (adapters.length === 0) return;
  const tainted = await allTainted(home);
  for (const name of adapters) {
    const adapter = await readAdapterManifest(home, name);
    if (!tainted.has(adapter.datasetHash)) continue;
    const dataset = shortHash(adapter.datasetHash);
    warn(
      `Warning: the adapter ${adapterLabel(adapter)} was trained on the tainted dataset ${dataset}; tracemill lineage ${dataset} says why.`,
      context,
    );
  }
}

const SHOWN = 3;

function named(by: readonly { kind: string; target: string; reason: string }[]): string {
  const first = by.slice(0, SHOWN).map(({ kind, target, reason }) => `the ${kind} ${target} (${reason})`);
  return [...first, ...(by.length > SHOWN ? [`${by.length - SHOWN} more`] : [])].join(", ");
}
