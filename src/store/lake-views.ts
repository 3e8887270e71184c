/**
 * The views over the lake's files: the tables of all runs, what is put together from messages on demand (a prompt, an
 * example), what the ledger says of tips, and a schema per skill with the same names. Pure text.
 */
import { sqlText } from "./duckdb.ts";
import { noLines, TABLES, tableQuery } from "./lake-tables.ts";
import { ledgerTables, type Said } from "./ledger-tables.ts";
import { STAGED_TYPES } from "./log-split.ts";
import { type RevokedMarks, revokedMarks } from "./revoked-marks.ts";

/** Names that DuckDB has taken already; a skill of such a name has no schema of its own. */
const TAKEN_SCHEMAS = new Set([
  "main",
  "files",
  "sealed",
  "ledger",
  "memory",
  "system",
  "temp",
  "information_schema",
  "pg_catalog",
]);

const MESSAGE_LIST = (hashes: string) =>
  `(SELECT unnest(${hashes}) AS hash, generate_subscripts(${hashes}, 1) AS place)`;

/** Tables of which the ledger says more than the files hold. */
const JUDGED = ["verdicts", "attempts"];

/** The name of a table as the files hold it. */
function sealedName(table: string): string {
  return `${JUDGED.includes(table) ? "sealed" : "files"}.${table}`;
}

/** What a late verdict says in place of the log's; `v` is the one that decides, `o` the latest opinion. */
const DECIDED = {
  verdict_value: 'v."value"',
  eval_passed: "CASE WHEN list_contains(v.flags, 'conflict') THEN NULL ELSE v.passed END",
  ...Object.fromEntries(
    ["confidence", "failure_mode", "signal_type", "verifier_id", "verifier_version"].map((column) => [
      column,
      `v.${column}`,
    ]),
  ),
  evidence: "v.evidence",
};
const GIVEN = { audit_passed: "o.passed", audit_confidence: "o.confidence" };

/** Flags of what there was before a verdict, and none of what it says. */
const LASTING = "['noop-pass', 'environment-suspect', 'clipped', 'imported', 'dirty-exit']";

/** What earlier verdicts say beside the outcome lasts where the late one did not look at the state before the action. */
const lasting = (logged: RevokedMarks["logged"]) => ({
  before_passed: `coalesce(v.before_passed, b.before_passed, ${logged("a.before_passed")})`,
  flags: `list_sort(list_distinct(list_concat(v.flags, list_intersect(${LASTING}, list_concat(coalesce(b.flags, []),
    CASE WHEN coalesce(v.before_passed, b.before_passed) IS NULL THEN coalesce(${logged("a.flags")}, []) ELSE [] END)))))`,
});

const replaced = (columns: Record<string, string>, by: string, logged = (column: string) => column) =>
  Object.entries(columns).map(
    ([name, late]) => `CASE WHEN ${by}.attempt IS NULL THEN ${logged(`a.${name}`)} ELSE ${late} END AS ${name}`,
  );

/** Tables in which late verdicts stand beside those of the logs. */
const judgedTables = ({ logged, silenced, attempt }: RevokedMarks): Record<string, string> => ({
  verdicts: `SELECT * FROM sealed.verdicts UNION ALL BY NAME
    SELECT l.*, r.skill FROM ledger.verdicts l JOIN files.runs r ON r.run = l.run`,
  attempts: `SELECT a.* REPLACE (
    ${[...replaced({ ...DECIDED, ...lasting(logged) }, "v", logged), ...replaced(GIVEN, "o")].join(", ")}),
    ${attempt} AS is_revoked
    FROM sealed.attempts a ${silenced}
    LEFT JOIN ledger.deciding v ON v.attempt = a.attempt
      AND (v.signal_type <> 'behavioral' OR coalesce(${logged("a.signal_type")}, 'behavioral') = 'behavioral')
    LEFT JOIN ledger.said_before b ON b.attempt = v.attempt
    LEFT JOIN ledger.opinions o ON o.attempt = a.attempt`,
});

/** By what the run of a row is covered now; where none is, nothing is asked of a million rows. */
const coveredBy = (isAny: boolean, row: string) =>
  `${isAny ? `(SELECT c.covered_by FROM ledger.coverings c WHERE c.run = ${row}.run)` : "NULL::VARCHAR"} AS covered_by`;

const viewsOf = ({ turn, example }: RevokedMarks, isAnyCovered: boolean): Record<string, string> => ({
  runs: `SELECT r.*, ${coveredBy(isAnyCovered, "r")} FROM files.runs r`,
  items: "SELECT * FROM files.items",
  turns: `SELECT t.*, ${turn} AS is_revoked, ${coveredBy(isAnyCovered, "t")} FROM files.turns t`,
  messages: `SELECT run, skill, hash, message->>'$.role' AS "role", message->>'$.content' AS content, message
    FROM files.messages`,
  tools: "SELECT * FROM files.tools",
  verdicts: "SELECT * FROM files.verdicts",
  tips: `SELECT t.* EXCLUDE (retired_reason, merged_into),
    coalesce('revoked: ' || r.reason, t.retired_reason, l.reason) AS retired_reason,
    CASE WHEN r.target IS NOT NULL THEN NULL WHEN t.retired_reason IS NULL THEN l.merged_into ELSE t.merged_into END AS merged_into
    FROM files.tips t LEFT JOIN ledger.tip_retirements l ON l.tip = t.tip
    LEFT JOIN ledger.revocations r ON r.kind = 'tip' AND r.target = t.tip`,
  retrievals: "SELECT * FROM files.retrievals",
  architect_choices: "SELECT * FROM files.architect_choices",
  attempts: `SELECT a.* EXCLUDE (prompt_messages, response_message, tool_call, exit_code, stdout, stderr, duration_ms, is_revoked),
    (SELECT string_agg(m.content, E'\\n\\n' ORDER BY m."role" = 'system' DESC, p.place)
      FROM ${MESSAGE_LIST("a.prompt_messages")} p JOIN messages m ON m.run = a.run AND m.hash = p.hash) AS approach_prompt,
    (SELECT any_value(m.content) FROM messages m WHERE m.run = a.run AND m.hash = a.response_message) AS response,
    tool_call, exit_code, stdout, stderr, duration_ms, is_revoked, ${coveredBy(isAnyCovered, "a")}
    FROM files.attempts a`,
  examples: `SELECT t.run, t.skill, t.part, t.item, t.family, t.split, i.kind, i.task, t.attempt, t.attempt_number, t.turn,
    t.turn_number, t."role", t.phase,
    (SELECT to_json(list(m.message ORDER BY p.place))
      FROM ${MESSAGE_LIST("t.messages")} p JOIN files.messages m ON m.run = t.run AND m.hash = p.hash) AS messages,
    (SELECT any_value(o.tools) FROM files.tools o WHERE o.run = t.run AND o.hash = t.tools) AS tools,
    (SELECT any_value(m.message) FROM files.messages m WHERE m.run = t.run AND m.hash = t.response) AS response,
    t.tip_spans, t.finish_reason, t.prompt_tokens, t.completion_tokens, t.model, t.base_hash, t.adapter_hash,
    a.eval_passed, a.confidence, a.failure_mode, a.signal_type, a.verifier_id, a.verifier_version, a.flags, a.before_passed,
    a.audit_passed, a.audit_confidence, ${example} AS is_revoked, ${coveredBy(isAnyCovered, "t")}
    FROM files.turns t
    LEFT JOIN files.attempts a ON a.run = t.run AND a.attempt = t.attempt
    LEFT JOIN files.items i ON i.run = t.run AND i.item = t.item
    WHERE t.response IS NOT NULL`,
  completeness: `SELECT t.run, t.skill, t."role", count(*) AS turns,
    ${["system_prompt", "tools", "full_prompt", "full_answer", "token_ids", "sampling"]
      .map((part) => `avg(t.has_${part}::INTEGER) AS ${part}`)
      .join(", ")},
    avg((a.verifier_id IS NOT NULL)::INTEGER) AS outcome,
    avg((coalesce(a.verifier_version, 'unknown') <> 'unknown')::INTEGER) AS verifier_version,
    avg((r.skill_hash IS NOT NULL OR ${["commit", "base_commit", "image", "environment"]
      .map((key) => `coalesce(json_exists(i.detail, '$.${key}'), false)`)
      .join(" OR ")})::INTEGER) AS environment
    FROM files.turns t LEFT JOIN files.attempts a ON a.run = t.run AND a.attempt = t.attempt
    LEFT JOIN files.items i ON i.run = t.run AND i.item = t.item LEFT JOIN files.runs r ON r.run = t.run
    GROUP BY t.run, t.skill, t."role"`,
});

/** Which prompt holds which tip, as it was recorded: what was retrieved is named even where its place is not. */
const RENDERED_TIPS = `SELECT run, attempt, turn, tip FROM files.retrievals WHERE is_rendered
  UNION SELECT run, attempt, turn, span.tip AS tip FROM (
    SELECT run, attempt, turn, unnest(from_json(tip_spans, '[{"tip":"VARCHAR"}]')) AS span FROM files.turns
    WHERE tip_spans::VARCHAR <> '[]')`;

/**
 * Yields the statements that set up the views. `files` holds the files of each table; where there is none yet the tables
 * are there but empty. What the ledger says is said after a run's files were made, so no file holds it.
 */
export function* lakeViews(
  skills: readonly string[],
  files: Record<string, readonly string[]>,
  said: Said,
): Generator<string> {
  yield* ["CREATE SCHEMA files", "CREATE SCHEMA sealed"];
  const isEmpty = TABLES.some(({ name }) => files[name]?.length === 0);
  yield* isEmpty ? emptyTables() : TABLES.map(({ name }) => fileView(name, files[name] ?? []));
  yield `CREATE VIEW sealed.rendered_tips AS ${RENDERED_TIPS}`;
  yield* ledgerTables(said);
  const marks = revokedMarks(said.revocations);
  const views = viewsOf(marks, said.covered.size > 0);
  yield* Object.entries(judgedTables(marks)).map(([name, query]) => `CREATE VIEW files.${name} AS ${query}`);
  yield* Object.entries(views).map(([name, query]) => `CREATE VIEW ${name} AS ${query}`);
  for (const skill of skills.filter((skill) => !TAKEN_SCHEMAS.has(skill))) {
    yield `CREATE SCHEMA "${skill}"`;
    yield* Object.keys(views).map(
      (name) => `CREATE VIEW "${skill}".${name} AS SELECT * FROM main.${name} WHERE skill = ${sqlText(skill)}`,
    );
  }
}

function fileView(table: string, files: readonly string[]): string {
  return `CREATE VIEW ${sealedName(table)} AS SELECT * FROM read_parquet([${files.map(sqlText).join(", ")}], hive_partitioning = true,
    hive_types = {'run': VARCHAR, 'skill': VARCHAR})`;
}

/** Each table's own query over no events at all gives its columns. */
function emptyTables(): string[] {
  const events = STAGED_TYPES.map((type) => `CREATE VIEW ev_${type} AS ${noLines(type)}`);
  const nowhere = { run: "", skill: "", head: "", part: 0 };
  return [
    "SET schema = 'files'",
    ...events,
    ...TABLES.map(({ name, query }) => `CREATE TABLE ${name} AS ${tableQuery(query, nowhere)}`),
    ...JUDGED.flatMap((name) => [`CREATE TABLE ${sealedName(name)} AS FROM ${name}`, `DROP TABLE ${name}`]),
    ...STAGED_TYPES.map((type) => `DROP VIEW ev_${type}`),
    "SET schema = 'main'",
  ];
}
