/**
 * Revokes: says in the ledger that something turned out to be bad, and finds what was made of it. Nothing is deleted.
 */
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { shellWord } from "../foundation/shell-word.ts";
import type { Decision } from "../records/comparison.ts";
import { REVOCABLE, type Revocation } from "../records/ledger-entries.ts";
import type { Thing } from "../records/lineage.ts";
import type { Home } from "../store/home.ts";
import { appendLedger } from "../store/ledger.ts";
import { decisionsOn, type Graph, type JudgedAdapter, openGraph, withCovering } from "./graph.ts";
import { knownThing } from "./known.ts";
import { decisionsMadeFrom, taintedWriters, taintOf, taintOfAdapter } from "./taint.ts";

export interface RevocationReport {
  kind: Revocation["kind"];
  target: string;
  reason: string;
  isDryRun: boolean;
  /** Whether it was revoked before: then nothing is written, and `reason` is the first one. */
  wasRevoked: boolean;
  /** Datasets with rows made from it, or it itself, and those that may rest on it: `rows` as in `Taint`. */
  datasets: { datasetHash: Hash; rows: number | null; of: number; isCertain: boolean }[];
  /** Adapters trained on these, and those that went on from their weights. */
  adapters: { adapterHash: Hash; name: string | null; datasetHash: Hash; isCertain: boolean }[];
  /** Adapters that learned from rows which one of these wrote; they are not tainted for it. */
  written: { adapterHash: Hash; name: string | null; writer: Hash }[];
  /** Decisions that judged these adapters, and those that rest on it; without a verdict where it was changed since. */
  decisions: { comparisonHash: Hash; adapterHash: Hash | null; verdict: Decision["verdict"] | null }[];
  /** Tips that a revoked run saved: they stay in memory until they are revoked themselves. */
  savedTips: string[];
}

export interface RevokeOptions {
  target: string;
  reason: string;
  /** Only tells what would be touched. */
  isDryRun?: boolean;
  clock: Clock;
}

/**
 * Revokes a run, an attempt, a tip, a verifier (`<id>@<version>`) or a dataset, durably and once, and returns what it touches.
 * Throws: `UNKNOWN_RUN` and its like, `NOT_REVOCABLE`, `BAD_ARGUMENT` for an empty reason; `DATASET_CHANGED`, once it is revoked.
 */
export async function revoke(home: Home, options: RevokeOptions): Promise<RevocationReport> {
  const { clock, isDryRun = false } = options;
  const asked = options.reason.trim();
  if (asked === "") throw noReason();
  const graph = await openGraph(home);
  try {
    const thing = await knownThing(graph, options.target);
    const kind = REVOCABLE.find((one) => one === thing.kind);
    if (kind === undefined) throw notRevocable(thing);
    const known = graph.revoked.find((one) => one.kind === kind && one.target === thing.id);
    const said = known ?? { kind, target: thing.id, reason: asked };
    // Written before it is told what it touches: that can take a while, and may be refused.
    if (known === undefined && !isDryRun) appendLedger(home, { type: "revoked", data: said }, clock);
    const found = await touched(graph, said).catch((error: unknown) => {
      throw error instanceof Refusal && !isDryRun ? revokedUntold(error, said) : error;
    });
    return { ...said, isDryRun, wasRevoked: known !== undefined, ...found };
  } finally {
    await graph.close();
  }
}

type Touched = Pick<RevocationReport, "datasets" | "adapters" | "written" | "decisions" | "savedTips">;

async function touched(graph: Graph, said: Revocation): Promise<Touched> {
  const targets = withCovering(graph, [{ kind: said.kind, id: said.target }]);
  const by = targets.map(({ id }) => ({ ...said, target: id }));
  const datasets: Touched["datasets"] = [];
  for (const dataset of graph.datasets) {
    const taint = await taintOf(graph, dataset, by);
    if (taint === null) continue;
    const { trainRows, validationRows } = dataset.counts;
    const { rows, isCertain } = taint;
    datasets.push({ datasetHash: dataset.datasetHash, rows, of: trainRows + validationRows, isCertain });
  }
  const tainted = new Map(datasets.map(({ datasetHash, isCertain }) => [datasetHash, { isCertain }]));
  if (said.kind === "dataset") tainted.set(said.target as Hash, { isCertain: true }); // its folder may be gone
  const adapters = graph.adapters.flatMap(({ adapterHash, name, datasetHash }) => {
    const taint = taintOfAdapter(graph, tainted, adapterHash);
    return taint === null ? [] : [{ adapterHash, name, datasetHash, ...taint }];
  });
  const writers = await taintedWriters(graph, tainted);
  const decisions = new Set<JudgedAdapter>(adapters.flatMap(({ adapterHash }) => decisionsOn(graph, adapterHash)));
  const runs = new Set(targets.flatMap(({ kind, id }) => (kind === "run" ? [id] : [])));
  for (const target of targets) for (const decision of await decisionsMadeFrom(graph, target)) decisions.add(decision);
  return {
    datasets,
    adapters,
    written: graph.adapters.flatMap(({ adapterHash, name }) => {
      const writer = writers.get(adapterHash);
      return writer === undefined ? [] : [{ adapterHash, name, writer }];
    }),
    decisions: [...decisions].map(({ comparisonHash, adapterHash, verdict = null }) => {
      return { comparisonHash, adapterHash, verdict };
    }),
    savedTips: (await Promise.all([...runs].map((run) => tipsSavedBy(graph, run)))).flat(),
  };
}

async function tipsSavedBy(graph: Graph, run: string): Promise<string[]> {
  const lake = await graph.lake();
  const live = await lake.query("SELECT tip FROM tips WHERE run = $run AND retired_reason IS NULL ORDER BY seq", {
    run,
  });
  return live.map(({ tip }) => String(tip));
}

function noReason(): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "The reason is empty: later readers need to know why.",
    expected: "a text",
    fix: '--reason "the verifier took an empty result for a pass"',
  });
}

/** What is wrong with a dataset is no reason to take a revocation for one that was not made. */
function revokedUntold({ details }: Refusal, { kind, target }: Revocation): Refusal {
  return new Refusal({
    ...details,
    message: `The ${kind} ${target} is revoked, but what it touches cannot be told whole. ${details.message}`,
  });
}

function notRevocable({ kind, id }: Thing): Refusal {
  return new Refusal({
    code: "NOT_REVOCABLE",
    message: `The ${kind} itself is not revoked: ${kind === "item" ? "the attempts at it are" : "what it was made from is"}.`,
    expected: "a run, an attempt, a tip, a verifier as <id>@<version>, or a dataset by its hash",
    got: `the ${kind} ${id}`,
    fix: `tracemill lineage ${shellWord(id)}`,
  });
}
