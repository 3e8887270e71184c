/**
 * How far a run's labels can be trusted: what the lake says of its verdicts, environment, texts and tips, each finding with its
 * count, examples, and what leaves it out of a dataset.
 */
import type { RunId } from "../records/ids.ts";
import type { Lake } from "../store/lake.ts";

export interface Finding {
  what: string;
  count: number;
  /** Of how many. */
  of: number;
  examples: string[];
  /** The filter that leaves these out, or says that they are left out anyway. */
  leftOutBy: string;
}

export interface LabelAudit {
  run: RunId;
  attempts: number;
  /** Those of which a verdict holds. */
  judged: number;
  passed: number;
  findings: Finding[];
  /** Verdicts by how sure their verifier was, and by its version. */
  confidence: { confidence: number | null; attempts: number }[];
  verifiers: { verifier: string; attempts: number }[];
}

const EXAMPLES = 3;

interface Question {
  what: string;
  leftOutBy: string;
  /** Selects `name`, one row for each thing found. */
  sql: string;
  of: "attempts" | "turns" | "retrievals" | "items";
}

const has = (flag: string) =>
  `SELECT attempt AS name FROM attempts WHERE run = $run AND list_contains(flags, '${flag}')`;
const BY_DEFAULT = "left out by default";
const IS_CLIPPED = "list_has_any(parse_flags, ['clipped', 'result-clipped'])";

/** What an attempt did: its action, or where it has none its answer. */
const DONE = "coalesce(tool_call::VARCHAR, response)";
/** The call `agent` stands for all that an agent did in its folder, and does not tell what. */
const IS_TOLD = `${DONE} IS NOT NULL AND coalesce(tool_call->>'name', '') <> 'agent'`;

/** Attempts in the order in which they began; those in a row whose flag agrees have the same distance to their place. */
const SUSPECT_STRETCHES = `WITH begun AS (SELECT attempt, min(seq) AS seq
    FROM (SELECT attempt, seq FROM turns WHERE run = $run UNION ALL SELECT attempt, seq FROM verdicts WHERE run = $run) GROUP BY ALL),
  ordered AS (SELECT attempt, coalesce(list_contains(flags, 'environment-suspect'), false) AS is_suspect,
    row_number() OVER (ORDER BY b.seq, attempt) AS place FROM attempts a JOIN begun b USING (attempt) WHERE a.run = $run),
  stretches AS (SELECT *, place - row_number() OVER (PARTITION BY is_suspect ORDER BY place) AS stretch FROM ordered)
  SELECT CASE WHEN count(*) = 1 THEN any_value(attempt)
    ELSE arg_min(attempt, place) || ' to ' || arg_max(attempt, place) || ', ' || count(*) || ' attempts' END AS name
  FROM stretches WHERE is_suspect GROUP BY stretch`;

const QUESTIONS: readonly Question[] = [
  {
    what: "passes that were there before the action",
    leftOutBy: `${BY_DEFAULT} (noop-pass)`,
    sql: `SELECT attempt AS name FROM attempts WHERE run = $run AND eval_passed
      AND (list_contains(flags, 'noop-pass') OR before_passed)`,
    of: "attempts",
  },
  {
    what: "verdicts that contradict each other",
    leftOutBy: `${BY_DEFAULT} (conflict)`,
    sql: `SELECT attempt AS name FROM attempts WHERE run = $run AND eval_passed IS NULL AND verifier_id IS NOT NULL`,
    of: "attempts",
  },
  {
    what: "the same action or answer at the same item, once passed and once not",
    leftOutBy: "--filter with the items' names, or tracemill reverify",
    sql: `SELECT DISTINCT item AS name FROM attempts WHERE run = $run AND eval_passed IS NOT NULL AND ${IS_TOLD}
      GROUP BY item, ${DONE} HAVING count(DISTINCT eval_passed) > 1`,
    of: "items",
  },
  {
    what: "attempts at the same item of which some passed and some did not",
    leftOutBy: "no doubt by itself: an item at the edge of what the model can",
    sql: `SELECT item AS name FROM attempts WHERE run = $run GROUP BY item HAVING count(DISTINCT eval_passed) > 1`,
    of: "items",
  },
  {
    what: "the environment was not sound",
    leftOutBy: `${BY_DEFAULT} (environment-suspect)`,
    sql: has("environment-suspect"),
    of: "attempts",
  },
  {
    what: "stretches of attempts in a row in such an environment",
    leftOutBy: `${BY_DEFAULT} (environment-suspect); look at what lies around them`,
    sql: SUSPECT_STRETCHES,
    of: "attempts",
  },
  {
    what: "the verifier cannot tell what it says",
    leftOutBy: "--filter confidence>=0.99, and by default below that",
    sql: has("evaluator-gap"),
    of: "attempts",
  },
  {
    what: "the action ended with an error and passed",
    leftOutBy: '--filter "not flag(dirty-exit)"',
    sql: `${has("dirty-exit")} AND eval_passed`,
    of: "attempts",
  },
  {
    what: "a text was cut where it was recorded",
    leftOutBy: `${BY_DEFAULT} (incomplete)`,
    sql: `SELECT turn AS name FROM turns WHERE run = $run AND ${IS_CLIPPED}`,
    of: "turns",
  },
  {
    what: "a part of a turn was never recorded",
    leftOutBy: `${BY_DEFAULT} (incomplete)`,
    sql: `SELECT turn AS name FROM turns WHERE run = $run AND NOT ${IS_CLIPPED}
      AND NOT (has_full_prompt AND has_full_answer AND has_system_prompt AND has_tools)`,
    of: "turns",
  },
  {
    what: "nobody judged the attempt",
    leftOutBy: `${BY_DEFAULT} (no-verdict); tracemill outcome or label says what came of it`,
    sql: `SELECT attempt AS name FROM attempts WHERE run = $run AND verifier_id IS NULL`,
    of: "attempts",
  },
  {
    what: "an opinion decides, or a verifier that is not sure",
    leftOutBy: `${BY_DEFAULT} (not-deterministic)`,
    sql: `SELECT attempt AS name FROM attempts WHERE run = $run AND (signal_type = 'behavioral' OR confidence < 0.99)`,
    of: "attempts",
  },
  {
    what: "an opinion, of the auditor, a model or a person, contradicts the check",
    leftOutBy: "passes by --filter audit_passed=true; what failed is no demonstration anyway",
    sql: `SELECT attempt AS name FROM attempts WHERE run = $run AND audit_passed <> eval_passed AND signal_type <> 'behavioral'`,
    of: "attempts",
  },
  {
    what: "a tip was retrieved and never shown",
    leftOutBy: "no label rests on it; it counts for no tip's credit",
    sql: `SELECT DISTINCT tip AS name FROM retrievals WHERE run = $run AND NOT is_rendered AND NOT is_dropped
      AND tip NOT IN (SELECT tip FROM retrievals WHERE run = $run AND is_rendered)`,
    of: "retrievals",
  },
];

/** Looks through a sealed run. Throws: as the lake's queries. */
export async function auditLabels(lake: Lake, run: RunId): Promise<LabelAudit> {
  const ask = (sql: string) => lake.query(sql, { run });
  const [counts = {}] = await ask(`SELECT
    (SELECT count(*) FROM attempts WHERE run = $run) AS attempts,
    (SELECT count(eval_passed) FROM attempts WHERE run = $run) AS judged,
    (SELECT count(*) FROM attempts WHERE run = $run AND eval_passed) AS passed,
    (SELECT count(*) FROM turns WHERE run = $run) AS turns, (SELECT count(*) FROM items WHERE run = $run) AS items,
    (SELECT count(DISTINCT tip) FROM retrievals WHERE run = $run) AS retrievals`);
  const findings: Finding[] = [];
  for (const { what, leftOutBy, sql, of } of QUESTIONS) {
    const [found = {}] = await ask(`SELECT count(*) AS n, (min(name, ${EXAMPLES})) AS names FROM (${sql})`);
    const examples = Array.isArray(found.names) ? found.names.map(String) : [];
    findings.push({ what, leftOutBy, count: Number(found.n), of: Number(counts[of]), examples });
  }
  const confidence = await ask(
    "SELECT confidence, count(*) AS attempts FROM attempts WHERE run = $run GROUP BY ALL ORDER BY confidence DESC NULLS LAST",
  );
  const verifiers =
    await ask(`SELECT verifier_id || '@' || verifier_version AS verifier, count(*) AS attempts FROM attempts
    WHERE run = $run AND verifier_id IS NOT NULL GROUP BY ALL ORDER BY attempts DESC, verifier`);
  return {
    ...{ run, attempts: Number(counts.attempts), judged: Number(counts.judged), passed: Number(counts.passed) },
    findings,
    confidence: confidence as unknown as LabelAudit["confidence"],
    verifiers: verifiers as unknown as LabelAudit["verifiers"],
  };
}
