/**
 * From what a user typed to a thing that is here: told by the form of an id, else by hash or name of a dataset, adapter or decision.
 */
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { nearest } from "../foundation/nearest.ts";
import { adapterLabel } from "../records/adapter-manifest.ts";
import { type AttemptId, attemptParts, formOf, type IdForm, itemIdSchema } from "../records/ids.ts";
import type { Thing, ThingKind } from "../records/lineage.ts";
import type { Row } from "../store/duckdb.ts";
import { readLedger } from "../store/ledger.ts";
import { readAdapterManifest, readDatasetManifest } from "../store/manifests.ts";
import { runIds } from "../store/runs.ts";
import { type Graph, rowsMadeFrom } from "./graph.ts";

/** Names of one kind among which the nearest are looked for. */
const MOST_COMPARED = 5000;
/** Units: characters of a decision's hash, or of that of a dataset which is gone. */
const SHORTEST_PREFIX = 4;
/** Units: characters; a longer text is cut where it is shown, and near to nothing. */
const MOST_SHOWN_TEXT = 200;

type LakeKind = Exclude<IdForm, "run" | "row">;

/** What the lake is asked for: whether a thing is there, and what its likes are called. */
const FOUND_BY: Record<LakeKind, { is: string; like: string; listedBy: string }> = {
  attempt: {
    is: "SELECT 1 FROM files.attempts WHERE attempt = $id UNION ALL SELECT 1 FROM files.turns WHERE attempt = $id LIMIT 1",
    like: "SELECT attempt AS name FROM files.attempts WHERE run = $run ORDER BY attempt",
    listedBy: 'tracemill sql "SELECT attempt FROM attempts"',
  },
  turn: {
    is: "SELECT 1 FROM files.turns WHERE turn = $id LIMIT 1",
    like: "SELECT turn AS name FROM files.turns WHERE run = $run ORDER BY turn",
    listedBy: 'tracemill sql "SELECT turn FROM turns"',
  },
  item: {
    is: "SELECT 1 FROM files.items WHERE item = $id UNION ALL SELECT 1 FROM files.attempts WHERE item = $id LIMIT 1",
    like: "SELECT DISTINCT item AS name FROM files.items ORDER BY name",
    listedBy: 'tracemill sql "SELECT DISTINCT item FROM items"',
  },
  tip: {
    is: "SELECT 1 FROM files.tips WHERE tip = $id UNION ALL SELECT 1 FROM sealed.rendered_tips WHERE tip = $id LIMIT 1",
    like: "SELECT tip AS name FROM files.tips UNION SELECT tip FROM sealed.rendered_tips ORDER BY name",
    listedBy: "tracemill tips list",
  },
  verifier: {
    is: "SELECT 1 FROM files.verdicts WHERE verifier_id || '@' || verifier_version = $id LIMIT 1",
    like: "SELECT DISTINCT verifier_id || '@' || verifier_version AS name FROM files.verdicts ORDER BY name",
    listedBy: `tracemill sql "SELECT DISTINCT verifier_id || '@' || verifier_version FROM verdicts"`,
  },
};

/**
 * Finds what a text names: a run, item, attempt, turn, tip, row or verifier by its id, else an adapter, a dataset or a decision; also
 * a dataset whose folder is gone.
 * Throws: `UNKNOWN_RUN` and its like with the nearest ones; `UNKNOWN_NAME` for what has the form of no id;
 * `AMBIGUOUS_DATASET`, `AMBIGUOUS_ADAPTER`.
 */
export async function knownThing(graph: Graph, text: string): Promise<Thing> {
  const kind = formOf(text);
  if (kind === null) return madeThing(graph, text);
  if (kind === "run") {
    const runs = [...new Set([...runIds(graph.home), ...graph.sealed.keys()])];
    if (!runs.some((run) => run === text)) throw unknown("run", text, { known: runs, listedBy: "tracemill runs" });
  } else if (kind === "row") {
    for await (const _ of rowsMadeFrom(graph, [{ kind, id: text }])) return { kind, id: text };
    throw unknown("row", text, { known: [], listedBy: "tracemill datasets, and the column id of their rows" });
  } else if (kind === "verifier" && (await isItem(graph, text))) {
    return { kind: "item", id: text };
  } else if (kind !== "verifier" || !(await isRule(graph, text))) await refuseUnknown(graph, { kind, id: text });
  return { kind, id: text };
}

/** A rule that labels gives no verdict: it is known by the rows that it labelled. */
async function isRule(graph: Graph, id: string): Promise<boolean> {
  if (await isInLake(graph, { kind: "verifier", id })) return false;
  for await (const _ of rowsMadeFrom(graph, [{ kind: "verifier", id }])) return true;
  return false;
}

/** Any text may be the name of an item within its skill, one with an @ too: then it is a verifier only where there is such a one. */
async function isItem(graph: Graph, id: string): Promise<boolean> {
  if (!itemIdSchema.safeParse(id).success || (await isInLake(graph, { kind: "verifier", id }))) return false;
  return isInLake(graph, { kind: "item", id });
}

async function isInLake(graph: Graph, { kind, id }: { kind: LakeKind; id: string }): Promise<boolean> {
  return (await (await graph.lake()).query(FOUND_BY[kind].is, { id })).length > 0;
}

async function refuseUnknown(graph: Graph, { kind, id }: { kind: LakeKind; id: string }): Promise<void> {
  const { like, listedBy } = FOUND_BY[kind];
  if (await isInLake(graph, { kind, id })) return;
  const isOfRun = kind === "attempt" || kind === "turn";
  const run = isOfRun ? attemptParts(id as AttemptId).run : null;
  const isOpen = run !== null && !graph.sealed.has(run) && runIds(graph.home).includes(run);
  const rows: Row[] = isOpen
    ? []
    : await (await graph.lake()).query(`${like} LIMIT ${MOST_COMPARED}`, run === null ? {} : { run });
  const known = rows.map(({ name }) => String(name));
  throw unknown(kind, id, { known, listedBy, ...(isOpen && { where: `${run} is not sealed yet` }) });
}

async function madeThing(graph: Graph, text: string): Promise<Thing> {
  const { home, adapters, datasets, decisions, changedDecisions } = graph;
  const adapter = await foundOrNull(readAdapterManifest(home, text), "UNKNOWN_ADAPTER");
  if (adapter !== null) return { kind: "adapter", id: adapter.adapterHash };
  const dataset = await foundOrNull(readDatasetManifest(home, text), "UNKNOWN_DATASET");
  if (dataset !== null) return { kind: "dataset", id: dataset.datasetHash };
  const judged = [...decisions, ...changedDecisions].map(({ comparisonHash }) => comparisonHash);
  const [decision, ...others] = text.length < SHORTEST_PREFIX ? [] : judged.filter((hash) => hash.startsWith(text));
  if (decision !== undefined && others.length === 0) return { kind: "decision", id: decision };
  const gone = await goneDataset(graph, text);
  if (gone !== null) return { kind: "dataset", id: gone };
  const known = [...adapters.map(adapterLabel), ...datasets.map(({ datasetHash }) => shortHash(datasetHash))];
  const refusal = unknown("name", text, { known, listedBy: "tracemill status" });
  throw new Refusal({
    ...refusal.details,
    message: `Nothing here is named ${shown(text)}.`,
    expected:
      "the id of a run, item, attempt, turn, tip or row, a verifier as <id>@<version>, a dataset or adapter by hash or name, or a " +
      "decision by the hash of its comparison",
  });
}

/** One whose folder is not here any more: the ledger names it still, and an adapter that was trained on it. */
async function goneDataset({ home, adapters }: Graph, text: string): Promise<Hash | null> {
  if (text.length < SHORTEST_PREFIX) return null;
  const hashes = new Set(adapters.map(({ datasetHash }) => datasetHash));
  for await (const { type, data } of readLedger(home)) {
    if (type === "dataset_registered") hashes.add(data.datasetHash);
  }
  const [found = null, ...others] = [...hashes].filter((hash) => hash.startsWith(text));
  return others.length === 0 ? found : null;
}

async function foundOrNull<T>(found: Promise<T>, code: string): Promise<T | null> {
  return found.catch((error: unknown) => {
    if (error instanceof Refusal && error.code === code) return null;
    throw error;
  });
}

function unknown(
  kind: ThingKind | "name",
  text: string,
  { known, listedBy, where }: { known: readonly string[]; listedBy: string; where?: string },
): Refusal {
  const close = text.length > MOST_SHOWN_TEXT ? [] : nearest(text, known);
  return new Refusal({
    code: `UNKNOWN_${kind.toUpperCase()}`,
    message: `There is no ${kind} ${shown(text)}.`,
    expected: `one that is here: ${listedBy}`,
    got: shown(text),
    ...(where !== undefined && { where }),
    ...(close.length > 0 && { fix: `did you mean ${close.map((one) => `"${one}"`).join(" or ")}?` }),
  });
}

function shown(text: string): string {
  return JSON.stringify(text.length > MOST_SHOWN_TEXT ? `${text.slice(0, MOST_SHOWN_TEXT)}...` : text);
}
