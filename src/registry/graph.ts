/**
 * The one graph of what was made from what. Things lie in the run logs, in the datasets' own indexes of their rows and in
 * manifests, so edges are looked up where they are asked for, and nothing that grows with the rows is held.
 *
 * run <- attempt <- turn <- row <- dataset <- adapter <- decision; adapter <- the one that went on from its weights, and
 * each turn that it answered; a run <- the one that covers it; tip <- turn, row; verifier <- row; run <- the decision that it
 * was an arm of; adapter <- promotion. A dataset without an index hangs on its runs alone.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { Decision } from "../records/comparison.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { type AttemptId, attemptParts, type RunId } from "../records/ids.ts";
import type { Revocation } from "../records/ledger-entries.ts";
import type { Thing, ThingKind } from "../records/lineage.ts";
import type { RowLineage } from "../records/row-lineage.ts";
import { type ChangedDecision, listDecisions } from "../store/comparisons.ts";
import type { Home } from "../store/home.ts";
import { type Lake, openLake } from "../store/lake.ts";
import {
  type Covering,
  coverings,
  latestCoverings,
  otherIdsOf,
  revocations,
  revocationsAt,
  type SealedRun,
  sealedRuns,
} from "../store/ledger.ts";
import { listAdapters, listDatasets } from "../store/manifests.ts";
import { hasRowLineage, readRowLineage } from "../store/row-lineage.ts";
import { type Champion, standingPromotions } from "./champions.ts";

export interface Graph {
  home: Home;
  /** Oldest first, as the next two. */
  datasets: DatasetManifest[];
  adapters: AdapterManifest[];
  decisions: Decision[];
  /** Of whose runs nothing can be told. */
  changedDecisions: ChangedDecision[];
  sealed: ReadonlyMap<RunId, SealedRun>;
  coverings: readonly Covering[];
  /** The run that covers each now, without a circle. */
  coveredBy: ReadonlyMap<RunId, RunId>;
  revoked: Revocation[];
  /** By place, the promotions that stand there, the champion's last. */
  promoted: ReadonlyMap<string, readonly Champion[]>;
  /** What was revoked at each line of the ledger that a dataset is bound to. */
  revokedAt: ReadonlyMap<Hash, readonly Revocation[]>;
  /** Opened when it is first asked for. Throws: as `openLake`. */
  lake(): Promise<Lake>;
  close(): Promise<void>;
}

export interface HeldRow {
  dataset: DatasetManifest;
  row: RowLineage;
}

/** Throws: `BAD_MANIFEST`, `LEDGER_BROKEN`. The graph is to be closed. */
export async function openGraph(home: Home): Promise<Graph> {
  const [datasets, adapters, { decisions, changed: changedDecisions }, promoted] = await Promise.all([
    listDatasets(home),
    listAdapters(home),
    listDecisions(home),
    standingPromotions(home),
  ]);
  const said = coverings(home);
  let lake: Promise<Lake> | undefined;
  return {
    ...{ home, datasets, adapters, decisions, changedDecisions, promoted },
    sealed: sealedRuns(home),
    coverings: said,
    coveredBy: latestCoverings(said),
    revoked: revocations(home),
    revokedAt: revocationsAt(home, new Set(datasets.map(({ inputs }) => inputs.ledgerHead))),
    lake() {
      lake ??= openLake(home);
      return lake;
    },
    async close() {
      (await lake)?.close();
    },
  };
}

/** What a row was made from, of each kind. */
const IN_ROW = {
  run: (row: RowLineage): readonly string[] => row.runs,
  attempt: (row: RowLineage): readonly string[] => row.attempts,
  turn: (row: RowLineage): readonly string[] => row.turns,
  tip: (row: RowLineage): readonly string[] => row.tips,
  verifier: (row: RowLineage): readonly string[] => row.verifiers,
  row: (row: RowLineage): readonly string[] => [row.id],
};

type RowKind = keyof typeof IN_ROW;

/** Whether a row was made from a thing, or is it. */
export function isMadeFrom(row: RowLineage, { kind, id }: Thing): boolean {
  return kind in IN_ROW && IN_ROW[kind as RowKind](row).includes(id);
}

/**
 * Yields the rows that were made from any of the things, dataset by dataset; those of a run that covers another also for the
 * one in it. Throws: `DATASET_CHANGED`.
 */
export async function* rowsMadeFrom(
  graph: Graph,
  things: readonly Thing[],
  datasets: readonly DatasetManifest[] = graph.datasets,
): AsyncGenerator<HeldRow> {
  const all = withCovering(graph, things);
  if (all.length === 0) return;
  const ids = all.map(({ id }) => id);
  for (const dataset of datasets.filter(hasRowLineage)) {
    for await (const row of readRowLineage(graph.home, dataset, ids)) {
      if (all.some((thing) => isMadeFrom(row, thing))) yield { dataset, row };
    }
  }
}

/**
 * A role's rule looks at attempts of any run that it was given, and a row names its own alone: whatever is revoked of these
 * runs may have had a part in a label.
 */
export function restsOnRules({ rules }: DatasetManifest): boolean {
  return rules.some((rule) => rule !== "verdict");
}

/**
 * Returns the datasets that do not say all that their rows were made from, and may have been made from the thing: one of
 * their runs is it, holds it, rendered it or was judged by it, and it was not revoked before. What it is in a covering run is asked apart.
 */
export async function datasetsMaybeMadeFrom(
  graph: Graph,
  thing: Thing,
  datasets: readonly DatasetManifest[] = graph.datasets,
): Promise<DatasetManifest[]> {
  const unsaid = datasets.filter((dataset) => !hasRowLineage(dataset) || restsOnRules(dataset));
  const found = new Set<DatasetManifest>();
  for (const one of withCovering(graph, [thing])) {
    const candidates = unsaid.filter((dataset) => !wasLeftOut(graph, dataset, one));
    if (candidates.length === 0) continue;
    const runs = await runsOf({ ...graph, coverings: [] }, one);
    for (const dataset of candidates) if (dataset.inputs.runs.some(({ run }) => runs.has(run))) found.add(dataset);
  }
  return unsaid.filter((dataset) => found.has(dataset));
}

/** What was revoked before a dataset was made had no part in it, unless the export was told to take that too. */
function wasLeftOut(graph: Graph, { gatesOff, inputs }: DatasetManifest, { kind, id }: Thing): boolean {
  const known = gatesOff.includes("revoked") ? [] : (graph.revokedAt.get(inputs.ledgerHead) ?? []);
  return known.some((one) => one.kind === kind && one.target === id);
}

/** Also attempts that are no try at an item, and those that nobody asked a model in. */
const ATTEMPTS = `SELECT attempt AS id FROM files.turns WHERE run = $id
  UNION SELECT attempt FROM files.attempts WHERE run = $id ORDER BY id`;

/** Yields what a thing was made from, one step. */
export async function* up(graph: Graph, { kind, id }: Thing): AsyncGenerator<Thing> {
  const ask = asking(graph, id);
  if (kind === "run")
    yield* [...graph.coveredBy].flatMap(([covered, run]) => (run === id ? thing("run", covered) : []));
  if (kind === "attempt") yield thing("run", attemptParts(id as AttemptId).run);
  if (kind === "turn") {
    yield thing("attempt", id.slice(0, id.lastIndexOf("#")));
    yield* await ask("tip", "SELECT DISTINCT tip AS id FROM sealed.rendered_tips WHERE turn = $id ORDER BY tip");
    yield* await ask(
      "adapter",
      "SELECT adapter_hash AS id FROM files.turns WHERE turn = $id AND adapter_hash IS NOT NULL",
    );
  }
  if (kind === "row") yield* madeRowFrom(graph, id);
  if (kind === "dataset") yield* madeDatasetFrom(graph, id);
  if (kind === "adapter") {
    for (const { datasetHash, parent } of graph.adapters.filter((one) => one.adapterHash === id)) {
      yield thing("dataset", datasetHash);
      if (parent !== null) yield thing("adapter", parent);
    }
  }
  if (kind === "decision") {
    const isAsked = ({ comparisonHash }: ChangedDecision) => comparisonHash === id;
    for (const { adapterHash } of [...graph.decisions, ...graph.changedDecisions].filter(isAsked)) {
      if (adapterHash !== null) yield thing("adapter", adapterHash);
    }
    yield* graph.decisions
      .filter(isAsked)
      .flatMap((decision) => runsJudgedBy(decision).map((run) => thing("run", run)));
  }
}

/** Yields what was made from a thing, one step. */
export async function* down(graph: Graph, one: Thing): AsyncGenerator<Thing> {
  const { kind, id } = one;
  const ask = asking(graph, id);
  if (kind === "run") {
    const covering = graph.coveredBy.get(id as RunId);
    if (covering !== undefined) yield thing("run", covering);
    yield* await ask("attempt", ATTEMPTS);
    yield* (await datasetsMaybeMadeFrom({ ...graph, coverings: [] }, one)).map((found) =>
      thing("dataset", found.datasetHash),
    );
    const judged = graph.decisions.filter((decision) => runsJudgedBy(decision).includes(id as RunId));
    yield* judged.map(({ comparisonHash }) => thing("decision", comparisonHash));
  }
  if (kind === "attempt")
    yield* await ask("turn", "SELECT turn AS id FROM files.turns WHERE attempt = $id ORDER BY seq");
  if (kind === "tip") {
    yield* await ask("turn", "SELECT turn AS id FROM sealed.rendered_tips WHERE tip = $id ORDER BY turn");
  }
  if (kind === "turn" || kind === "tip" || kind === "verifier") {
    for await (const { row } of rowsMadeFrom(graph, [one])) yield thing("row", row.id);
  }
  if (kind === "row") {
    for await (const { dataset } of rowsMadeFrom(graph, [one])) yield thing("dataset", dataset.datasetHash);
  }
  if (kind === "dataset") yield* adaptersOf(graph, id as Hash).map((made) => thing("adapter", made.adapterHash));
  if (kind === "adapter") {
    yield* childrenOf(graph, id as Hash).map((made) => thing("adapter", made.adapterHash));
    yield* decisionsOn(graph, id as Hash).map((made) => thing("decision", made.comparisonHash));
    yield* await ask("turn", "SELECT turn AS id FROM files.turns WHERE adapter_hash = $id ORDER BY turn");
  }
}

/** The adapters that were trained on a dataset. */
export function adaptersOf({ adapters }: Graph, datasetHash: Hash): AdapterManifest[] {
  return adapters.filter((adapter) => adapter.datasetHash === datasetHash);
}

/** The adapters whose training began with an adapter's weights. */
export function childrenOf({ adapters }: Pick<Graph, "adapters">, adapterHash: Hash): AdapterManifest[] {
  return adapters.filter(({ parent }) => parent === adapterHash);
}

/** The adapter that was trained first, and so on down to this one; without those that are gone. */
export function ancestryOf({ adapters }: Pick<Graph, "adapters">, adapterHash: Hash): AdapterManifest[] {
  const adapter = adapters.find((one) => one.adapterHash === adapterHash);
  if (adapter === undefined) return [];
  return [...(adapter.parent === null ? [] : ancestryOf({ adapters }, adapter.parent)), adapter];
}

/** The runs that a decision was made from: those of every arm, at every skill. */
export function runsJudgedBy({ arms, sides }: Decision): RunId[] {
  return [...arms, ...sides.flatMap((side) => side.arms)].flatMap(({ runs }) => runs.map(({ run }) => run));
}

/** That an adapter was judged; the verdict is left out where the decision was changed since. */
export type JudgedAdapter = ChangedDecision & { verdict?: Decision["verdict"] };

/** The decisions that judged an adapter, those that were changed since last. */
export function decisionsOn({ decisions, changedDecisions }: Graph, adapterHash: Hash): JudgedAdapter[] {
  return [...decisions, ...changedDecisions].filter((decision) => decision.adapterHash === adapterHash);
}

/** What was made of a run that holds another's calls was made of that one, too; an attempt is the same in each run that has it. */
export function withCovering({ coverings }: Pick<Graph, "coverings">, things: readonly Thing[]): Thing[] {
  return things.flatMap((one) => [one, ...otherIdsOf(coverings, one).map((id) => thing(one.kind, id))]);
}

/** A row that is in several datasets may owe its label to another verifier in each. */
async function* madeRowFrom(graph: Graph, id: string): AsyncGenerator<Thing> {
  const found = { turn: new Set<string>(), tip: new Set<string>(), verifier: new Set<string>() };
  for await (const { row } of rowsMadeFrom(graph, [thing("row", id)])) {
    for (const kind of ["turn", "tip", "verifier"] as const) for (const one of IN_ROW[kind](row)) found[kind].add(one);
  }
  for (const kind of ["turn", "tip", "verifier"] as const) yield* [...found[kind]].map((one) => thing(kind, one));
}

async function* madeDatasetFrom(graph: Graph, hash: string): AsyncGenerator<Thing> {
  const dataset = graph.datasets.find(({ datasetHash }) => datasetHash === hash);
  if (dataset === undefined) return;
  if (!hasRowLineage(dataset)) {
    yield* dataset.inputs.runs.map(({ run }) => thing("run", run));
    return;
  }
  for await (const { id } of readRowLineage(graph.home, dataset)) yield thing("row", id);
}

/** The runs in which a thing was: of a tip and a verifier the lake knows. */
export async function runsOf(graph: Graph, { kind, id }: Thing): Promise<ReadonlySet<string>> {
  if (kind === "run") return new Set(withCovering(graph, [{ kind, id }]).map((run) => run.id));
  if (kind === "attempt" || kind === "turn") return new Set([attemptParts(id as AttemptId).run]);
  const sql =
    kind === "tip"
      ? "SELECT DISTINCT run AS id FROM sealed.rendered_tips WHERE tip = $id"
      : "SELECT DISTINCT run AS id FROM files.verdicts WHERE verifier_id || '@' || verifier_version = $id";
  return new Set((await asking(graph, id)("run", sql)).map((run) => run.id));
}

/** The things of a kind that the lake has for an id. */
function asking({ lake }: Graph, id: string): (kind: ThingKind, sql: string) => Promise<Thing[]> {
  return async (kind, sql) => (await (await lake()).query(sql, { id })).map((row) => thing(kind, String(row.id)));
}

function thing(kind: ThingKind, id: string): Thing {
  return { kind, id };
}
