/**
 * The way up: from a thing to the runs that it was made from, with the place of each event in its log.
 */
import type { Json } from "../foundation/canonical-json.ts";
import { type AttemptId, attemptParts, type TurnId } from "../records/ids.ts";
import type { LineageNode, Thing } from "../records/lineage.ts";
import type { Row } from "../store/duckdb.ts";
import { hasRowLineage, readRowLineage } from "../store/row-lineage.ts";
import { up } from "./graph.ts";
import { type Marked, nodeOf } from "./lineage-nodes.ts";
import { writersOf } from "./writers.ts";

/** So many tips of a dataset are named; it says how many there are. */
const TIPS_NAMED = 20;
/** And of the attempts of an arm's run. */
const ATTEMPTS_NAMED = 20;

/** Returns the trees above a thing. */
export async function madeFrom(marked: Marked, thing: Thing): Promise<LineageNode[]> {
  const { kind, id } = thing;
  if (kind === "attempt") return attemptSources(marked, id as AttemptId);
  if (kind === "turn") return turnSources(marked, id as TurnId);
  if (kind === "dataset") return datasetSources(marked, id);
  if (kind === "tip") return savedBy(marked, id);
  if (kind === "decision") return judgedFrom(marked, id);
  const nodes: LineageNode[] = [];
  for await (const above of up(marked.graph, thing)) {
    const facts = above.kind === "turn" ? await turnFacts(marked, above.id) : {};
    nodes.push(nodeOf(marked, above, { facts, nodes: await madeFrom(marked, above) }));
  }
  return nodes;
}

async function turnSources(marked: Marked, turn: TurnId): Promise<LineageNode[]> {
  const nodes: LineageNode[] = [];
  for await (const above of up(marked.graph, { kind: "turn", id: turn })) {
    const isAttempt = above.kind === "attempt";
    nodes.push(nodeOf(marked, above, { nodes: isAttempt ? await attemptSources(marked, above.id as AttemptId) : [] }));
  }
  return nodes;
}

/** Every verdict on an attempt, in the order in which they were given, and its run. */
async function attemptSources(marked: Marked, attempt: AttemptId): Promise<LineageNode[]> {
  const rows = await asked(marked, VERDICTS, attempt);
  const verdicts = rows.map((row): LineageNode => {
    const { verifier, log, seq, passed, value, signal_type: signal } = row as Record<string, Json>;
    const { mark } = nodeOf(marked, { kind: "verifier", id: String(verifier) });
    const facts = {
      passed: passed ?? null,
      value: value ?? null,
      signal: signal ?? null,
      log: log ?? null,
      seq: seq ?? null,
    };
    return { kind: "verdict", id: String(verifier), facts, mark, nodes: [] };
  });
  const run = { kind: "run" as const, id: attemptParts(attempt).run };
  return [...verdicts, nodeOf(marked, run, { nodes: await madeFrom(marked, run) })];
}

const VERDICTS = `SELECT verifier_id || '@' || verifier_version AS verifier, 'run' AS log, seq, passed, "value", signal_type
    FROM sealed.verdicts WHERE attempt = $id
  UNION ALL SELECT verifier_id || '@' || verifier_version, 'ledger', seq, passed, "value", signal_type
    FROM ledger.verdicts WHERE attempt = $id
  ORDER BY log DESC, seq`;

/** The dataset's runs with how many of its rows are of each, the adapters that wrote rows, its verifiers, and the tips that most prompts held. */
async function datasetSources(marked: Marked, datasetHash: string): Promise<LineageNode[]> {
  const { graph } = marked;
  const dataset = graph.datasets.find((one) => one.datasetHash === datasetHash);
  if (dataset === undefined) return [];
  if (!hasRowLineage(dataset)) {
    return dataset.inputs.runs.map(({ run, head }) =>
      nodeOf(marked, { kind: "run", id: run }, { facts: { head, rows: null } }),
    );
  }
  const rows = { run: new Map<string, number>(), verifier: new Map<string, number>(), tip: new Map<string, number>() };
  for await (const row of readRowLineage(graph.home, dataset)) {
    count(rows.run, row.runs);
    count(rows.verifier, row.verifiers);
    count(rows.tip, row.tips);
  }
  const named = (kind: keyof typeof rows) =>
    [...rows[kind]]
      .sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1))
      .map(([id, of]) => nodeOf(marked, { kind, id }, { facts: { rows: of } }));
  const tips = named("tip");
  const [first] = tips;
  if (first !== undefined && tips.length > TIPS_NAMED) first.facts.tips = tips.length;
  const writers = [...(await writersOf(graph, dataset)).rows].map(([id, wrote]) =>
    nodeOf(marked, { kind: "adapter", id }, { facts: { wrote } }),
  );
  return [...named("run"), ...writers, ...named("verifier"), ...tips.slice(0, TIPS_NAMED)];
}

function count(rows: Map<string, number>, ids: readonly string[]): void {
  for (const id of ids) rows.set(id, (rows.get(id) ?? 0) + 1);
}

/** Where a tip was learnt. It is no edge of the graph: a run may be bad and a tip of it still be right. */
async function savedBy(marked: Marked, tip: string): Promise<LineageNode[]> {
  const rows = await asked(marked, "SELECT run, seq, source_attempt FROM files.tips WHERE tip = $id", tip);
  return rows.map(({ run, seq, source_attempt: attempt }) =>
    nodeOf(
      marked,
      { kind: "run", id: String(run) },
      { facts: { saved: "the tip", seq: seq ?? null, attempt: attempt ?? null } },
    ),
  );
}

/** The adapter that a decision judged, and the runs of every arm with how they came out and the first of their attempts. */
async function judgedFrom(marked: Marked, comparisonHash: string): Promise<LineageNode[]> {
  const { decisions } = marked.graph;
  const decision = decisions.find((one) => one.comparisonHash === comparisonHash);
  const arms = decision === undefined ? [] : [decision, ...decision.sides].flatMap((part) => part.arms);
  const nodes: LineageNode[] = [];
  for await (const above of up(marked.graph, { kind: "decision", id: comparisonHash })) {
    const of = arms.find(({ runs }) => above.kind === "run" && runs.some(({ run }) => run === above.id));
    if (of === undefined) {
      nodes.push(nodeOf(marked, above, { nodes: await madeFrom(marked, above) }));
      continue;
    }
    const attempts = (await asked(marked, ATTEMPTS, above.id)).map(({ attempt, attempts: all }, i) =>
      nodeOf(marked, { kind: "attempt", id: String(attempt) }, { facts: i === 0 ? { attempts: Number(all) } : {} }),
    );
    nodes.push(nodeOf(marked, above, { facts: { arm: of.arm, passed: of.passed, of: of.n }, nodes: attempts }));
  }
  return nodes;
}

const ATTEMPTS = `SELECT attempt, count(*) OVER () AS attempts FROM files.attempts WHERE run = $id ORDER BY attempt LIMIT ${ATTEMPTS_NAMED}`;

async function turnFacts(marked: Marked, turn: string): Promise<Record<string, Json>> {
  const [row] = await asked(marked, 'SELECT seq, "role", model FROM files.turns WHERE turn = $id', turn);
  return row === undefined
    ? { state: "gone" }
    : { role: row.role ?? null, model: row.model ?? null, seq: row.seq ?? null };
}

async function asked({ graph }: Marked, sql: string, id: string): Promise<Row[]> {
  return (await graph.lake()).query(sql, { id });
}
