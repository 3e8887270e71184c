/**
 * Taint: a dataset that is revoked or holds a row made from something revoked, and what was made of that dataset; and what a decision
 * rests on. It is found out when
 * it is asked for, and stands nowhere: what is revoked later taints what was made before.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { Decision } from "../records/comparison.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { type AttemptId, attemptParts } from "../records/ids.ts";
import type { Revocation } from "../records/ledger-entries.ts";
import type { Taint, Thing, ThingKind } from "../records/lineage.ts";
import { hasRowLineage } from "../store/row-lineage.ts";
import {
  ancestryOf,
  datasetsMaybeMadeFrom,
  type Graph,
  isMadeFrom,
  restsOnRules,
  rowsMadeFrom,
  runsJudgedBy,
  runsOf,
} from "./graph.ts";
import { type KnownWriters, sourcesOf } from "./writers.ts";

/**
 * Counts the rows of a dataset that revocations touch: all that there are, or `by` these; null where none does.
 * Throws: `DATASET_CHANGED`.
 */
export async function taintOf(
  graph: Graph,
  dataset: DatasetManifest,
  by: readonly Revocation[] = graph.revoked,
): Promise<Taint | null> {
  const found = await taintOfRows(graph, dataset, by);
  const whole = by.find((one) => isOf(dataset, one));
  if (whole === undefined) return found;
  const rows = dataset.counts.trainRows + dataset.counts.validationRows;
  return { by: [{ ...whole, rows }, ...(found?.by ?? [])], rows, isCertain: true };
}

async function taintOfRows(graph: Graph, dataset: DatasetManifest, by: readonly Revocation[]): Promise<Taint | null> {
  const possible = by.filter((one) => mayTouchRows(dataset, one));
  if (!hasRowLineage(dataset)) return possibleTaint(graph, dataset, possible);
  const counts = new Map<Revocation, number>();
  let rows = 0;
  for await (const { row } of rowsMadeFrom(graph, possible.map(thingOf), [dataset])) {
    rows += 1;
    for (const one of possible) {
      if (isMadeFrom(row, thingOf(one))) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
  }
  if (rows === 0) return restsOnRules(dataset) ? possibleTaint(graph, dataset, possible) : null;
  return { by: [...counts].map(([one, touched]) => ({ ...one, rows: touched })), rows, isCertain: true };
}

/**
 * Tells which datasets are tainted, reading each only up to its first such row; `false` for one of which no
 * row is known to be. One that is revoked itself is among them even where its folder is gone. Throws: `DATASET_CHANGED`.
 */
export async function taintedDatasets(graph: Graph): Promise<Map<Hash, { isCertain: boolean }>> {
  const revoked = graph.revoked.flatMap(({ kind, target }) => (kind === "dataset" ? [target as Hash] : []));
  const tainted = new Map(revoked.map((datasetHash) => [datasetHash, { isCertain: true }]));
  for (const dataset of graph.datasets) {
    const { datasetHash } = dataset;
    if (tainted.has(datasetHash)) continue;
    const possible = graph.revoked.filter((one) => mayTouchRows(dataset, one));
    if (hasRowLineage(dataset)) {
      for await (const _ of rowsMadeFrom(graph, possible.map(thingOf), [dataset])) {
        tainted.set(datasetHash, { isCertain: true });
        break;
      }
      if (tainted.has(datasetHash) || !restsOnRules(dataset)) continue;
    }
    if ((await possibleTaint(graph, dataset, possible)) !== null) tainted.set(datasetHash, { isCertain: false });
  }
  return tainted;
}

/**
 * Tells whether an adapter is tainted: by its own dataset, or by one that an adapter before it was trained on. Null where it
 * is not. Shapes: `tainted` is what `taintedDatasets` returns.
 */
export function taintOfAdapter(
  graph: Pick<Graph, "adapters">,
  tainted: ReadonlyMap<Hash, { isCertain: boolean }>,
  adapterHash: Hash,
): { isCertain: boolean } | null {
  const found = ancestryOf(graph, adapterHash).flatMap(({ datasetHash }) => tainted.get(datasetHash) ?? []);
  return found.length === 0 ? null : { isCertain: found.some(({ isCertain }) => isCertain) };
}

/**
 * Returns, for each adapter that is not tainted itself but learned from rows which a tainted one wrote, that writer. It is told and
 * refuses nothing: such a row was verified by itself, and what is revoked is no part of it. Throws: as `writersOf`.
 */
export async function taintedWriters(
  graph: Graph,
  tainted: ReadonlyMap<Hash, { isCertain: boolean }>,
  adapters: readonly Hash[] = graph.adapters.map(({ adapterHash }) => adapterHash),
): Promise<Map<Hash, Hash>> {
  const found = new Map<Hash, Hash>();
  if (tainted.size === 0) return found;
  const known: KnownWriters = new Map();
  for (const adapterHash of adapters) {
    if (taintOfAdapter(graph, tainted, adapterHash) !== null) continue;
    const { sources } = await sourcesOf(graph, adapterHash, known);
    const writer = sources.find(({ dataset }) => tainted.has(dataset.datasetHash))?.writer ?? null;
    if (writer !== null) found.set(adapterHash, writer);
  }
  return found;
}

/** What is revoked of an adapter's whole lineage. */
export interface LineageTaint {
  /** Its tainted datasets, the first that was trained on first. */
  tainted: ({ datasetHash: Hash } & Pick<Taint, "by" | "isCertain">)[];
  /** What of it is not here any more, so that nobody knows whether it is tainted; nothing where nothing at all is revoked. */
  gone: Thing[];
}

/** Looks through the datasets of an adapter's whole lineage. Throws: `DATASET_CHANGED`. */
export async function taintOfLineage(graph: Graph, adapterHash: Hash): Promise<LineageTaint> {
  const tainted: LineageTaint["tainted"] = [];
  if (graph.revoked.length === 0) return { tainted, gone: [] };
  for (const { datasetHash } of ancestryOf(graph, adapterHash)) {
    const dataset = graph.datasets.find((one) => one.datasetHash === datasetHash);
    const taint = dataset === undefined ? null : await taintOf(graph, dataset);
    const by =
      taint?.by ?? graph.revoked.filter(({ target }) => target === datasetHash).map((one) => ({ ...one, rows: null }));
    if (by.length > 0) tainted.push({ datasetHash, by, isCertain: taint?.isCertain ?? true });
  }
  return { tainted, gone: goneOfLineage(graph, adapterHash) };
}

/** What of an adapter's lineage is not here any more and not known to be revoked; nothing where nothing at all is revoked. */
export function goneOfLineage(
  { adapters, datasets, revoked }: Pick<Graph, "adapters" | "datasets" | "revoked">,
  adapterHash: Hash,
): Thing[] {
  if (revoked.length === 0) return [];
  const lineage = ancestryOf({ adapters }, adapterHash);
  const before = lineage.length === 0 ? adapterHash : lineage[0]?.parent;
  const known = new Set([...datasets.map((one) => one.datasetHash), ...revoked.map(({ target }) => target)]);
  const gone = lineage.flatMap(({ datasetHash }) => (known.has(datasetHash) ? [] : [datasetHash]));
  return [
    ...(before == null ? [] : [{ kind: "adapter" as const, id: before }]),
    ...gone.map((id) => ({ kind: "dataset" as const, id })),
  ];
}

/** Kinds of what a comparison is decided from. */
const DECIDES: readonly ThingKind[] = ["run", "attempt", "verifier"];

/** Returns the decisions that rest on a run, on an attempt or on a verifier: a run of their arms is it, holds it or was judged by it. */
export async function decisionsMadeFrom(graph: Graph, one: Thing): Promise<Decision[]> {
  const runs = await runsDecidedBy(graph, one);
  return graph.decisions.filter((decision) => runsJudgedBy(decision).some((run) => runs.has(run)));
}

/** Returns the runs whose outcomes rest on a run, on an attempt or on a verifier: they are it, hold it or were judged by it. */
export async function runsDecidedBy(graph: Graph, one: Thing): Promise<ReadonlySet<string>> {
  return DECIDES.includes(one.kind) ? runsOf(graph, one) : new Set();
}

async function possibleTaint(graph: Graph, dataset: DatasetManifest, by: readonly Revocation[]): Promise<Taint | null> {
  const rows = hasRowLineage(dataset) ? 0 : null;
  const touching: Taint["by"] = [];
  for (const one of by) {
    const found = await datasetsMaybeMadeFrom(graph, thingOf(one), [dataset]);
    if (found.length > 0) touching.push({ ...one, rows });
  }
  return touching.length === 0 ? null : { by: touching, rows, isCertain: false };
}

/** A dataset names every run that its rows are of, so most revocations are told to be none of its own at once. */
function mayTouchRows({ inputs }: DatasetManifest, { kind, target }: Revocation): boolean {
  if (kind === "dataset") return false;
  if (kind === "tip" || kind === "verifier") return true;
  const run = kind === "run" ? target : attemptParts(target as AttemptId).run;
  return inputs.runs.some((input) => input.run === run);
}

/** Whether it is the dataset itself that is revoked: all of its rows are, and none of another dataset. */
function isOf({ datasetHash }: DatasetManifest, { kind, target }: Revocation): boolean {
  return kind === "dataset" && target === datasetHash;
}

function thingOf({ kind, target }: Revocation) {
  return { kind, id: target };
}
