/**
 * The way down: from a thing to the datasets that hold rows of it, the adapters trained on these, those that
 * went on from them and the decisions on all, and from a run, or what it holds, to the decisions that it was an arm of. Rows are counted in one pass over the datasets' indexes; the first of them are named.
 */
import type { Hash } from "../foundation/hashing.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { type AttemptId, attemptParts, type RunId } from "../records/ids.ts";
import type { LineageNode, Thing } from "../records/lineage.ts";
import { PARTS, type Part } from "../records/selection.ts";
import { hasRowLineage } from "../store/row-lineage.ts";
import { datasetsMaybeMadeFrom, rowsMadeFrom } from "./graph.ts";
import { adapterNodes, datasetNode, type Marked, nodeOf } from "./lineage-nodes.ts";
import { writtenBy } from "./writers.ts";

/** So many rows, and attempts, are named; how many there are is said. */
const NAMED = 20;

/** Of one dataset: the rows that were made from the thing, and the first of them. */
interface Held {
  rows: Record<Part, number>;
  first: string[];
}

/** Returns the trees below a thing. */
export async function usedBy(marked: Marked, thing: Thing): Promise<LineageNode[]> {
  const { graph } = marked;
  const { kind, id } = thing;
  if (kind === "dataset") return datasetNode(marked, id as Hash).nodes;
  if (kind === "adapter") {
    const written = await writtenBy(graph, id as Hash);
    const datasets = written.map(({ datasetHash, rows }) => datasetNode(marked, datasetHash, { wrote: rows }));
    return [...adapterNodes(marked, id as Hash), ...datasets];
  }
  if (kind === "decision") return [];
  const made = kind === "item" ? await attemptsAt(marked, id) : [thing];
  const attempts = kind === "tip" ? await attemptsUnder(marked, id) : kind === "item" ? firstOf(marked, made) : [];
  const rowsOf = new Map(attempts.map((attempt) => [attempt.id, new Set<string>()]));
  const held = new Map<Hash, Held>();
  for await (const { dataset, row } of rowsMadeFrom(graph, made)) {
    const of = held.get(dataset.datasetHash) ?? { rows: { train: 0, validation: 0 }, first: [] };
    held.set(dataset.datasetHash, of);
    of.rows[row.part] += 1;
    if (of.first.length < NAMED) of.first.push(row.id);
    for (const attempt of row.attempts) rowsOf.get(attempt)?.add(row.id);
  }
  for (const attempt of attempts) {
    attempt.nodes = [...(rowsOf.get(attempt.id) ?? [])].map((row) => nodeOf(marked, { kind: "row", id: row }));
  }
  const unsaid = new Set<DatasetManifest>();
  for (const one of made) for (const dataset of await datasetsMaybeMadeFrom(graph, one)) unsaid.add(dataset);
  const unheld = [...unsaid].filter(({ datasetHash }) => !held.has(datasetHash));
  const datasets = [...held].map(([hash, of]) => datasetNode(marked, hash, heldFacts(of, kind)));
  const perhaps = unheld.map((dataset) => datasetNode(marked, dataset.datasetHash, perhapsFacts(dataset)));
  return [...datasets, ...perhaps, ...attempts, ...coveringNode(marked, thing), ...judgedBy(marked, made)];
}

function heldFacts({ rows, first }: Held, kind: Thing["kind"]) {
  const parts = PARTS.flatMap((part) => (rows[part] > 0 ? [`${rows[part]} ${part}`] : [])).join(", ");
  return { rows: rows.train + rows.validation, parts, ...(kind !== "row" && { first }) };
}

/** Why a dataset may have been made from a thing that no row of it names. */
function perhapsFacts(dataset: DatasetManifest) {
  return hasRowLineage(dataset) ? { rows: 0, perhaps: "by its labels" } : { rows: null, perhaps: "by its runs" };
}

/** The first attempts in whose prompts a tip was; the first says how many there are. */
async function attemptsUnder(marked: Marked, tip: string): Promise<LineageNode[]> {
  const lake = await marked.graph.lake();
  const rows = await lake.query(
    `SELECT attempt, count(*) OVER () AS attempts FROM (SELECT DISTINCT attempt FROM sealed.rendered_tips WHERE tip = $tip)
     ORDER BY attempt LIMIT ${NAMED}`,
    { tip },
  );
  return rows.map(({ attempt, attempts }, i) =>
    nodeOf(marked, { kind: "attempt", id: String(attempt) }, { facts: i === 0 ? { attempts: attempts ?? null } : {} }),
  );
}

/** The attempts at an item, in all runs. */
async function attemptsAt({ graph }: Marked, item: string): Promise<Thing[]> {
  const lake = await graph.lake();
  const rows = await lake.query("SELECT attempt FROM files.attempts WHERE item = $item ORDER BY attempt", { item });
  return rows.map(({ attempt }) => ({ kind: "attempt", id: String(attempt) }));
}

function firstOf(marked: Marked, attempts: readonly Thing[]): LineageNode[] {
  return attempts
    .slice(0, NAMED)
    .map((attempt, i) => nodeOf(marked, attempt, { facts: i === 0 ? { attempts: attempts.length } : {} }));
}

/** The run that holds a run's calls as well. */
function coveringNode(marked: Marked, { kind, id }: Thing): LineageNode[] {
  const into = kind === "run" ? marked.graph.coveredBy.get(id as RunId) : undefined;
  return into === undefined ? [] : [nodeOf(marked, { kind: "run", id: into })];
}

/** The decisions that the runs, or those of the attempts, were an arm of. */
function judgedBy(marked: Marked, things: readonly Thing[]): LineageNode[] {
  const runs = new Set<string>();
  for (const { kind, id } of things) {
    if (kind === "run") runs.add(id);
    if (kind === "attempt") runs.add(attemptParts(id as AttemptId).run);
  }
  return marked.graph.decisions.flatMap(({ comparisonHash, arms, sides }) =>
    [...arms, ...sides.flatMap((side) => side.arms)]
      .filter((arm) => arm.runs.some(({ run }) => runs.has(run)))
      .map(({ arm }) => nodeOf(marked, { kind: "decision", id: comparisonHash }, { facts: { arm } })),
  );
}
