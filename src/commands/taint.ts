/**
 * What a command says of taint before it goes on: a training refuses a tainted dataset, a server warns of an adapter that
 * was trained on one.
 */
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { warn } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { Taint, Thing } from "../records/lineage.ts";
import {
  ancestryOf,
  type Graph,
  goneOfLineage,
  openGraph,
  revocationsText,
  taintedDatasets,
  taintedWriters,
  taintOf,
  taintOfAdapter,
  taintOfLineage,
} from "../registry/index.ts";
import type { Home } from "../store/home.ts";
import { readAdapterManifest, readDatasetManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";

/** What of a home is not to be relied on, or may not be. */
export interface Taints {
  /** Null where it is not tainted. */
  ofDataset(datasetHash: Hash): Tainted | null;
  /** Of its dataset, or of one that an adapter before it was trained on; null where none is tainted. */
  ofAdapter(adapterHash: Hash): Tainted | null;
  /** Whether a dataset or an adapter of its lineage is gone, so that nobody knows. */
  isLineageGone(adapterHash: Hash): boolean;
}

/** Whether it is known that something revoked is in it, or may be. */
export type Tainted = Pick<Taint, "isCertain">;

/** Looks through all datasets. Throws: as `taintedDatasets`. */
export async function taintsIn(home: Home): Promise<Taints> {
  const graph = await openGraph(home);
  try {
    const tainted = await taintedDatasets(graph);
    return {
      ofDataset: (datasetHash) => tainted.get(datasetHash) ?? null,
      ofAdapter: (adapterHash) => taintOfAdapter(graph, tainted, adapterHash),
      isLineageGone: (adapterHash) => goneOfLineage(graph, adapterHash).length > 0,
    };
  } finally {
    await graph.close();
  }
}

/** Says of what is tainted that it is, or may be. */
export function taintWord({ isCertain }: Tainted): string {
  return isCertain ? "tainted" : "perhaps tainted";
}

/** Says of a tainted adapter that it learned, or may have. */
export function learned({ isCertain }: Tainted): string {
  return isCertain ? "learned" : "may have learned";
}

/** The word as a mark in a list; empty where it is not. */
export function taintMark(taint: Tainted | null): string {
  return taint === null ? "" : taintWord(taint).toUpperCase();
}

/** Throws: `TAINTED_DATASET` with what is revoked of it, `TAINTED_PARENT`; `UNKNOWN_DATASET`, `UNKNOWN_ADAPTER`. */
export async function refuseTainted(home: Home, { dataset, from }: { dataset: string; from?: string }): Promise<void> {
  const manifest = await readDatasetManifest(home, dataset);
  const parent = from === undefined ? null : await readAdapterManifest(home, from);
  const graph = await openGraph(home);
  try {
    await refuseTaintedDataset(graph, manifest);
    if (parent !== null) await refuseTaintedParent(graph, parent);
  } finally {
    await graph.close();
  }
}

async function refuseTaintedDataset(graph: Graph, dataset: DatasetManifest): Promise<void> {
  const taint = await taintOf(graph, dataset);
  if (taint === null) return;
  const { datasetHash, counts } = dataset;
  throw new Refusal({
    code: "TAINTED_DATASET",
    message: `The dataset ${taint.isCertain ? "holds" : "may rest on"} what was revoked since it was made: an adapter of it would be ${taintWord(taint)} too.`,
    expected: "a dataset without a revoked row",
    got: taintText(taint, counts.trainRows + counts.validationRows),
    where: graph.home.datasetFolder(datasetHash),
    fix: `tracemill dataset rebuild ${shortHash(datasetHash)}, and train on its successor`,
  });
}

function taintText({ rows, by, isCertain }: Taint, all: number): string {
  if (isCertain) return `${rows} of ${counted(all, "row")} ${rows === 1 ? "is" : "are"} of ${named(by)}`;
  const unsaid = rows === null ? "what its rows were made from" : "what all their labels rest on";
  return `it does not say ${unsaid}, and its runs have ${named(by)}`;
}

async function refuseTaintedParent(graph: Graph, parent: AdapterManifest): Promise<void> {
  const { tainted } = await taintOfLineage(graph, parent.adapterHash);
  const first = tainted.find(({ isCertain }) => isCertain) ?? tainted[0];
  if (first === undefined) return;
  const dataset = shortHash(first.datasetHash);
  const word = taintWord(first);
  throw new Refusal({
    code: "TAINTED_PARENT",
    message: `The adapter "${adapterLabel(parent)}" ${learned(first)} from what was revoked since: whatever goes on from it would be ${word} too.`,
    expected: "an adapter without a revoked row behind it",
    got: `it was trained on the ${word} dataset ${dataset}`,
    where: graph.home.adapterFolder(parent.adapterHash),
    fix: `tracemill dataset rebuild ${dataset}, train an adapter on its successor, and go on from that`,
  });
}

/**
 * Warns of each adapter that learned from a tainted dataset or from rows which a tainted adapter wrote, and of one whose lineage is
 * not here whole while something is revoked. Throws: `UNKNOWN_ADAPTER`, as `taintedDatasets`.
 */
export async function warnOfTaint(names: readonly string[], context: Context): Promise<void> {
  if (names.length === 0) return;
  const graph = await openGraph(context.home);
  try {
    await warnOfEach(names, graph, context);
  } finally {
    await graph.close();
  }
}

async function warnOfEach(names: readonly string[], graph: Graph, context: Context): Promise<void> {
  const tainted = await taintedDatasets(graph);
  for (const name of names) {
    const adapter = await readAdapterManifest(graph.home, name);
    const source = ancestryOf(graph, adapter.adapterHash).find(({ datasetHash }) => tainted.has(datasetHash));
    if (source === undefined) {
      const gone = goneOfLineage(graph, adapter.adapterHash);
      if (gone.length > 0) warn(lineageGone(adapter, gone), context);
      const writer = (await taintedWriters(graph, tainted, [adapter.adapterHash])).get(adapter.adapterHash);
      if (writer !== undefined) warn(writtenBy(adapter, writer), context);
      continue;
    }
    const dataset = shortHash(source.datasetHash);
    const word = taintWord(tainted.get(source.datasetHash) ?? { isCertain: true });
    const through =
      source.adapterHash === adapter.adapterHash
        ? "was trained on"
        : `goes on from ${adapterLabel(source)}, which was trained on`;
    warn(
      `Warning: the adapter ${adapterLabel(adapter)} ${through} the ${word} dataset ${dataset}; tracemill lineage ${dataset} says why.`,
      context,
    );
  }
}

function lineageGone(adapter: AdapterManifest, gone: readonly Thing[]): string {
  const named = gone.map(({ kind, id }) => `the ${kind} ${shortHash(id)}`).join(" and ");
  return `Warning: the adapter ${adapterLabel(adapter)} may have learned from what is revoked: ${named} of its lineage ${gone.length === 1 ? "is" : "are"} gone.`;
}

function writtenBy(adapter: AdapterManifest, writer: Hash): string {
  const by = shortHash(writer);
  return `Warning: the adapter ${adapterLabel(adapter)} learned from rows that ${by} wrote, which is tainted; tracemill lineage ${by} says why.`;
}

const SHOWN = 3;

function named(by: Taint["by"]): string {
  return [revocationsText(by.slice(0, SHOWN)), ...(by.length > SHOWN ? [`${by.length - SHOWN} more`] : [])].join(", ");
}
