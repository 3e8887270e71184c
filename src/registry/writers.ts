/**
 * Who wrote the answers that a dataset's rows train on: adapters, which have a lineage of their own. What such a writer has
 * seen may stand in its answers, so a question about a lineage goes on through it. Who else spoke in an attempt (a plan, a tip)
 * wrote none of what is trained on; a base, and a model of elsewhere, has no lineage to go on with.
 */
import type { Hash } from "../foundation/hashing.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { sqlText } from "../store/duckdb.ts";
import { hasRowLineage, readRowLineage } from "../store/row-lineage.ts";
import { ancestryOf, type Graph } from "./graph.ts";

export interface Writers {
  /** By adapter, how many rows it wrote; null where the dataset does not say which turns became its rows. */
  rows: Map<Hash, number | null>;
  /** Whether all turns can be looked up: the log of a run may be gone. */
  areKnown: boolean;
}

/** One dataset behind an adapter. */
export interface Source {
  dataset: DatasetManifest;
  /** The adapter that wrote rows and that leads to it; null in the adapter's own lineage. */
  writer: Hash | null;
}

/** What was found of datasets, so that each is looked through once. */
export type KnownWriters = Map<Hash, Promise<Writers>>;

/** Returns the adapters that wrote a dataset's rows. Throws: as `openLake`; `DATASET_CHANGED`. */
export async function writersOf(graph: Graph, dataset: DatasetManifest): Promise<Writers> {
  const runs = dataset.inputs.runs.map(({ run }) => sqlText(run));
  if (runs.length === 0) return { rows: new Map(), areKnown: true };
  const lake = await graph.lake();
  const of = `run IN (${runs.join(", ")})`;
  const [found] = await lake.query(`SELECT count(DISTINCT run) AS runs FROM files.runs WHERE ${of}`);
  // A turn that another program recorded names its model alone.
  const labelled = new Map(graph.adapters.map((adapter) => [adapterLabel(adapter), adapter.adapterHash]));
  const labels = [...labelled.keys()].map(sqlText).join(", ");
  const turns = await lake.query(
    `SELECT turn, model, adapter_hash FROM files.turns
     WHERE ${of} AND (adapter_hash IS NOT NULL${labels === "" ? "" : ` OR model IN (${labels})`})`,
  );
  const writers = new Map(
    turns.map(({ turn, model, adapter_hash: hash }) => [
      String(turn),
      (hash ?? labelled.get(String(model)) ?? null) as Hash,
    ]),
  );
  return { rows: await rowsByWriter(graph, dataset, writers), areKnown: Number(found?.runs) === runs.length };
}

/** Shapes: `writers` has those turns of the dataset's runs that an adapter wrote. */
async function rowsByWriter(graph: Graph, dataset: DatasetManifest, writers: ReadonlyMap<string, Hash>) {
  const rows = new Map<Hash, number | null>();
  if (writers.size === 0) return rows;
  if (!hasRowLineage(dataset)) {
    for (const writer of writers.values()) rows.set(writer, null);
    return rows;
  }
  for await (const row of readRowLineage(graph.home, dataset)) {
    const wrote = new Set(row.turns.flatMap((turn) => writers.get(turn) ?? []));
    for (const writer of wrote) rows.set(writer, (rows.get(writer) ?? 0) + 1);
  }
  return rows;
}

/**
 * Returns every dataset behind an adapter: its own and those of the adapters that it went on from, then those of the adapters that
 * wrote any of their rows, and so on. `isWhole` is false where something of it is gone. Throws: as `writersOf`.
 */
export async function sourcesOf(
  graph: Graph,
  adapterHash: Hash,
  known: KnownWriters = new Map(),
): Promise<{ sources: Source[]; isWhole: boolean }> {
  const sources = new Map<Hash, Source>();
  const seen = new Set([adapterHash]);
  let isWhole = true;
  // What is added while it is walked is walked too.
  for (const adapter of seen) {
    const lineage = ancestryOf(graph, adapter);
    if (lineage[0]?.parent !== null) isWhole = false;
    for (const { datasetHash } of lineage) {
      if (sources.has(datasetHash)) continue;
      const dataset = graph.datasets.find((one) => one.datasetHash === datasetHash);
      if (dataset === undefined) {
        isWhole = false;
        continue;
      }
      sources.set(datasetHash, { dataset, writer: adapter === adapterHash ? null : adapter });
      const writers = known.get(datasetHash) ?? writersOf(graph, dataset);
      known.set(datasetHash, writers);
      const { rows, areKnown } = await writers;
      if (!areKnown) isWhole = false;
      for (const writer of rows.keys()) seen.add(writer);
    }
  }
  return { sources: [...sources.values()], isWhole };
}

/** Returns the datasets that hold rows which an adapter wrote, with how many. Throws: as `writersOf`. */
export async function writtenBy(
  graph: Graph,
  adapterHash: Hash,
): Promise<{ datasetHash: Hash; rows: number | null }[]> {
  const written: { datasetHash: Hash; rows: number | null }[] = [];
  for (const dataset of graph.datasets) {
    const rows = (await writersOf(graph, dataset)).rows.get(adapterHash);
    if (rows !== undefined) written.push({ datasetHash: dataset.datasetHash, rows });
  }
  return written;
}
