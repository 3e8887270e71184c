/**
 * The views over the lake's files: the tables of all runs, what is put together from messages on demand (a prompt, an
 * example), what the ledger says of tips, and a schema per skill with the same names. Pure text.
 */
import type { TipRetirement } from "../records/ledger-entries.ts";
import { sqlText } from "./duckdb.ts";
import { noLines, TABLES, tableQuery } from "./lake-tables.ts";
import { STAGED_TYPES } from "./log-split.ts";

/** Names that DuckDB has taken already; a skill of such a name has no schema of its own. */
const TAKEN_SCHEMAS = new Set([
  "main",
  "files",
  "ledger",
  "memory",
  "system",
  "temp",
  "information_schema",
  "pg_catalog",
]);

const MESSAGE_LIST = (hashes: string) =>
  `(SELECT unnest(${hashes}) AS hash, generate_subscripts(${hashes}, 1) AS place)`;

const VIEWS: Record<string, string> = {
  runs: "SELECT * FROM files.runs",
  items: "SELECT * FROM files.items",
  turns: "SELECT * FROM files.turns",
  messages: `SELECT run, skill, hash, message->>'$.role' AS "role", message->>'$.content' AS content, message
    FROM files.messages`,
  tools: "SELECT * FROM files.tools",
  verdicts: "SELECT * FROM files.verdicts",
  tips: `SELECT t.* EXCLUDE (retired_reason, merged_into), coalesce(t.retired_reason, l.reason) AS retired_reason,
    CASE WHEN t.retired_reason IS NULL THEN l.merged_into ELSE t.merged_into END AS merged_into
    FROM files.tips t LEFT JOIN ledger.tip_retirements l ON l.tip = t.tip`,
  retrievals: "SELECT * FROM files.retrievals",
  attempts: `SELECT a.* EXCLUDE (prompt_messages, response_message, tool_call, exit_code, stdout, stderr, duration_ms),
    (SELECT string_agg(m.content, E'\\n\\n' ORDER BY m."role" = 'system' DESC, p.place)
      FROM ${MESSAGE_LIST("a.prompt_messages")} p JOIN messages m ON m.run = a.run AND m.hash = p.hash) AS approach_prompt,
    (SELECT any_value(m.content) FROM messages m WHERE m.run = a.run AND m.hash = a.response_message) AS response,
    tool_call, exit_code, stdout, stderr, duration_ms
    FROM files.attempts a`,
  examples: `SELECT t.run, t.skill, t.part, t.item, t.family, t.split, i.kind, i.task, t.attempt, t.attempt_number, t.turn,
    t.turn_number, t."role", t.phase,
    (SELECT to_json(list(m.message ORDER BY p.place))
      FROM ${MESSAGE_LIST("t.messages")} p JOIN files.messages m ON m.run = t.run AND m.hash = p.hash) AS messages,
    (SELECT any_value(o.tools) FROM files.tools o WHERE o.run = t.run AND o.hash = t.tools) AS tools,
    (SELECT any_value(m.message) FROM files.messages m WHERE m.run = t.run AND m.hash = t.response) AS response,
    t.tip_spans, t.finish_reason, t.prompt_tokens, t.completion_tokens, t.model, t.base_hash, t.adapter_hash,
    a.eval_passed, a.confidence, a.failure_mode, a.signal_type, a.verifier_id, a.verifier_version, a.flags, a.before_passed,
    a.audit_passed, a.audit_confidence
    FROM files.turns t
    LEFT JOIN files.attempts a ON a.run = t.run AND a.attempt = t.attempt
    LEFT JOIN files.items i ON i.run = t.run AND i.item = t.item
    WHERE t.response IS NOT NULL`,
};

/** The tables that a query may name, in every skill's schema too. */
export const VIEW_NAMES = Object.keys(VIEWS);

/**
 * Returns the statements that set up the views.
 * `files` holds the files of each table; where there is none yet the tables are there but empty. `retirements` are the
 * ledger's: they are said after a run's files were made, so no file holds them.
 */
export function lakeViews(
  skills: readonly string[],
  files: Record<string, readonly string[]>,
  retirements: Iterable<TipRetirement>,
): string[] {
  const isEmpty = TABLES.some(({ name }) => files[name]?.length === 0);
  const tables = isEmpty ? emptyTables() : TABLES.map(({ name }) => fileView(name, files[name] ?? []));
  const views = Object.entries(VIEWS).map(([name, query]) => `CREATE VIEW ${name} AS ${query}`);
  const schemas = skills
    .filter((skill) => !TAKEN_SCHEMAS.has(skill))
    .flatMap((skill) => [
      `CREATE SCHEMA "${skill}"`,
      ...VIEW_NAMES.map(
        (name) => `CREATE VIEW "${skill}".${name} AS SELECT * FROM main.${name} WHERE skill = ${sqlText(skill)}`,
      ),
    ]);
  return ["CREATE SCHEMA files", ...tables, ...retirementTable(retirements), ...views, ...schemas];
}

function retirementTable(retirements: Iterable<TipRetirement>): string[] {
  const rows = [...retirements].map(({ tip, reason, mergedInto }) => {
    const merged = mergedInto === null ? "NULL" : sqlText(mergedInto);
    return `(${sqlText(tip)}, ${sqlText(reason)}, ${merged})`;
  });
  return [
    "CREATE SCHEMA ledger",
    "CREATE TABLE ledger.tip_retirements (tip VARCHAR, reason VARCHAR, merged_into VARCHAR)",
    ...(rows.length > 0 ? [`INSERT INTO ledger.tip_retirements VALUES ${rows.join(", ")}`] : []),
  ];
}

function fileView(table: string, files: readonly string[]): string {
  return `CREATE VIEW files.${table} AS SELECT * FROM read_parquet([${files.map(sqlText).join(", ")}], hive_partitioning = true,
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
    ...STAGED_TYPES.map((type) => `DROP VIEW ev_${type}`),
    "SET schema = 'main'",
  ];
}
