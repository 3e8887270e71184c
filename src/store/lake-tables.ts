/**
 * The tables of the lake: what each event type holds as DuckDB reads it, the query that makes each table of one run,
 * and the views over all runs. Pure text; column names are the lake's (snake_case). A table's rows name their run, so
 * that every one leads back to its log. What can be put together from messages (a prompt, an example) is a view, so
 * that the lake grows as linearly as the log does.
 */
import type { TurnPart } from "../records/events.ts";
import { sqlText } from "./duckdb.ts";
import type { StagedType } from "./log-split.ts";

const event = (data: string) => ({ at: "VARCHAR", seq: "BIGINT", data });

/** The columns of each type of line, with their DuckDB types. */
export const LINE_COLUMNS: Record<StagedType, Readonly<Record<string, string>>> = {
  run_started:
    event(`STRUCT(skill STRUCT(id VARCHAR, version VARCHAR, hash VARCHAR), models JSON, seed BIGINT, split VARCHAR,
    memory VARCHAR, "codeVersion" VARCHAR, config JSON, comparison STRUCT("comparisonHash" VARCHAR, arm VARCHAR, sample BIGINT))`),
  item: { item: "VARCHAR", family: "VARCHAR", split: "VARCHAR", kind: "VARCHAR", task: "VARCHAR", detail: "JSON" },
  message: event(`STRUCT(hash VARCHAR, message JSON)`),
  tools: event(`STRUCT(hash VARCHAR, tools JSON)`),
  turn: event(`STRUCT(turn VARCHAR, attempt VARCHAR, "role" VARCHAR, phase VARCHAR, messages VARCHAR[], tools VARCHAR,
    response VARCHAR, "finishReason" VARCHAR, usage STRUCT("promptTokens" BIGINT, "completionTokens" BIGINT),
    "latencyMs" DOUBLE, request JSON, "modelAnswered" VARCHAR, "baseHash" VARCHAR, "adapterHash" VARCHAR,
    "parseFlags" VARCHAR[], retrievals JSON, "tipSpans" JSON, missing VARCHAR[], "tokenIds" JSON, wire STRUCT(api VARCHAR))`),
  action: event(
    `STRUCT(attempt VARCHAR, turn VARCHAR, call JSON, "exitCode" BIGINT, "isError" BOOLEAN, stdout VARCHAR, stderr VARCHAR, "durationMs" DOUBLE)`,
  ),
  verdict: event(`STRUCT(attempt VARCHAR, verdict STRUCT("value" DOUBLE, confidence DOUBLE, passed BOOLEAN,
    "failureMode" VARCHAR, "signalType" VARCHAR, verifier STRUCT(id VARCHAR, version VARCHAR),
    "before" STRUCT("value" DOUBLE, passed BOOLEAN), evidence JSON, flags VARCHAR[]))`),
  tip_saved:
    event(`STRUCT(tip VARCHAR, family VARCHAR, "type" VARCHAR, "text" VARCHAR, example JSON, mechanism VARCHAR, conditions VARCHAR,
    about VARCHAR, source STRUCT(item VARCHAR, attempt VARCHAR))`),
  tip_retired: event(`STRUCT(tip VARCHAR, reason VARCHAR, "mergedInto" VARCHAR)`),
  architect_decided: event(
    `STRUCT(item VARCHAR, turn VARCHAR, choice VARCHAR, plan VARCHAR, "isFallback" BOOLEAN, reason VARCHAR)`,
  ),
  item_finished: event(`STRUCT(item VARCHAR, state VARCHAR, attempts BIGINT, passed BIGINT, reason VARCHAR)`),
  run_finished: event(`STRUCT(items BIGINT)`),
};

/** Selects no line of a type, with its columns. */
export function noLines(type: StagedType): string {
  const nulls = Object.entries(LINE_COLUMNS[type]).map(([name, columnType]) => `NULL::${columnType} AS "${name}"`);
  return `SELECT ${nulls.join(", ")} WHERE false`;
}

const ATTEMPT_PARTS = `substr(attempt, 22, length(attempt) - 22 - length(attempt_number)) AS item,
    CAST(attempt_number AS INTEGER) AS attempt_number`;

/** An attempt is `<run>/<item>/<n>` and a run id has 20 characters. */
function withAttempt(source: string): string {
  return `(SELECT * EXCLUDE (attempt_number), ${ATTEMPT_PARTS}
    FROM (SELECT *, regexp_extract(attempt, '[0-9]+$') AS attempt_number FROM ${source}))`;
}

/** Whether the turn's source held a part of it whole: a turn of tracemill's own names none that is missing. */
function has(part: TurnPart): string {
  return `NOT list_contains(coalesce(t.data.missing, []), '${part}')`;
}

export interface Table {
  name: string;
  /** Makes the table's rows of one part of a run from the views `ev_<type>` and the tables above it. */
  query: string;
}

/** Fills a table's query in for one part of a run. */
export function tableQuery(query: string, at: { run: string; skill: string; head: string; part: number }): string {
  const literals: Record<string, string> = {
    $run: sqlText(at.run),
    $skill: sqlText(at.skill),
    $head: sqlText(at.head),
    $part: `${at.part}::USMALLINT`,
  };
  return query.replaceAll(/\$(run|skill|head|part)\b/g, (name) => literals[name] as string);
}

/** In the order in which they are made; a run is in the lake once its row of the last one, `runs`, is. */
export const TABLES: readonly Table[] = [
  {
    name: "items",
    query: `WITH finished AS (SELECT data.item AS item, max(seq) AS seq FROM ev_item_finished GROUP BY ALL)
      SELECT $run AS run, $skill AS skill, $part AS part, s.item, s.family, s.split, s.kind, s.task, s.detail,
      f.data.state AS state, f.data.reason AS end_reason, f.data.attempts AS attempts, f.data.passed AS passed
      FROM ev_item s LEFT JOIN finished ON finished.item = s.item LEFT JOIN ev_item_finished f ON f.seq = finished.seq
      ORDER BY s.item`,
  },
  {
    name: "messages",
    query: `SELECT $run AS run, $skill AS skill, data.hash AS hash, data.message AS message FROM ev_message`,
  },
  {
    name: "tools",
    query: `SELECT $run AS run, $skill AS skill, data.hash AS hash, data.tools AS tools FROM ev_tools`,
  },
  {
    name: "verdicts",
    query: `SELECT $run AS run, $skill AS skill, attempt, seq, CAST("at" AS TIMESTAMP) AS recorded_at, verdict."value" AS "value", verdict.confidence AS confidence,
      verdict.passed AS passed, verdict."failureMode" AS failure_mode, verdict."signalType" AS signal_type,
      verdict.verifier.id AS verifier_id, verdict.verifier.version AS verifier_version,
      verdict."before".passed AS before_passed, verdict.flags AS flags, verdict.evidence AS evidence
      FROM ${withAttempt(`(SELECT seq, "at", data.attempt AS attempt, data.verdict AS verdict FROM ev_verdict)`)}
      ORDER BY item, attempt_number, seq`,
  },
  {
    name: "turns",
    query: `SELECT $run AS run, $skill AS skill, $part AS part, t.item, i.family, i.split, t.attempt, t.attempt_number, t.data.turn AS turn,
      CAST(regexp_extract(t.data.turn, '[0-9]+$') AS INTEGER) AS turn_number, t.seq,
      t.recorded_at, t.data."role" AS "role",
      t.data.phase AS phase, t.data.messages AS messages, t.data.tools AS tools, t.data.response AS response,
      t.data."finishReason" AS finish_reason, t.data.usage."promptTokens" AS prompt_tokens,
      t.data.usage."completionTokens" AS completion_tokens, t.data."latencyMs" AS latency_ms, t.data.request AS request, t.data.wire.api AS wire_api,
      t.data."modelAnswered" AS model, t.data."baseHash" AS base_hash, t.data."adapterHash" AS adapter_hash,
      t.data."parseFlags" AS parse_flags, done.command_failed, t.data.retrievals AS retrievals, t.data."tipSpans" AS tip_spans,
      ${has("system-prompt")} AS has_system_prompt, ${has("tools")} AS has_tools, ${has("prompt")} AS has_full_prompt,
      t.data.response IS NOT NULL AND ${has("answer")} AS has_full_answer, t.data."tokenIds" IS NOT NULL AS has_token_ids,
      ${has("sampling")} AND json_exists(t.data.request, '$.temperature') AS has_sampling
      FROM ${withAttempt(`(SELECT seq, CAST("at" AS TIMESTAMP) AS recorded_at, data.attempt AS attempt, data FROM ev_turn)`)} t
      LEFT JOIN (SELECT data.turn AS turn, bool_or(data."exitCode" <> 0 OR coalesce(data."isError", false)) AS command_failed
        FROM ev_action GROUP BY ALL) done
        ON done.turn = t.data.turn
      LEFT JOIN items i ON i.item = t.item
      ORDER BY t.item, t.attempt_number, turn_number, t.seq`,
  },
  {
    name: "retrievals",
    query: `SELECT $run AS run, $skill AS skill, turn, attempt, r.tip AS tip, r.rank AS rank, r.score AS score,
      r."dropProbability" AS drop_probability, r."isDropped" AS is_dropped, r."isRendered" AS is_rendered
      FROM (SELECT turn, attempt, item, attempt_number, turn_number, unnest(from_json(retrievals,
        '[{"tip":"VARCHAR","rank":"INTEGER","score":"DOUBLE","dropProbability":"DOUBLE","isDropped":"BOOLEAN","isRendered":"BOOLEAN"}]'
        )) AS r FROM turns WHERE retrievals::VARCHAR <> '[]')
      ORDER BY item, attempt_number, turn_number, rank, tip`,
  },
  {
    name: "tips",
    query: `SELECT $run AS run, $skill AS skill, s.data.tip AS tip, s.seq, s.data.family AS family, s.data."type" AS "type",
      s.data."text" AS "text", s.data.example AS example, s.data.mechanism AS mechanism,
      s.data.conditions AS conditions, s.data.about AS about, s.data.source.item AS source_item,
      s.data.source.attempt AS source_attempt, r.reason AS retired_reason, r.merged_into AS merged_into
      FROM ev_tip_saved s
      LEFT JOIN (SELECT data.tip AS tip, arg_min(data.reason, seq) AS reason, arg_min(data."mergedInto", seq) AS merged_into
        FROM ev_tip_retired GROUP BY ALL) r
        ON r.tip = s.data.tip
      ORDER BY s.seq`,
  },
  {
    name: "architect_choices",
    query: `SELECT $run AS run, $skill AS skill, $part AS part, data.item AS item, seq, data.turn AS turn, data.choice AS choice,
      data."isFallback" AS is_fallback, data.plan IS NOT NULL AS has_plan, data.reason AS reason
      FROM ev_architect_decided ORDER BY data.item, seq`,
  },
  {
    name: "attempts",
    query: `WITH named AS (
        SELECT attempt FROM turns UNION SELECT attempt FROM verdicts UNION SELECT data.attempt FROM ev_action),
      worked AS (SELECT attempt, count(*) AS turns, CAST(sum(prompt_tokens) AS BIGINT) AS prompt_tokens,
        CAST(sum(completion_tokens) AS BIGINT) AS completion_tokens, max(seq) AS seq
        FROM turns WHERE "role" = 'worker' GROUP BY attempt),
      decided AS (SELECT attempt, coalesce(max(seq) FILTER (signal_type <> 'behavioral'), max(seq)) AS seq
        FROM verdicts WHERE signal_type <> 'judgment' GROUP BY attempt),
      audited AS (SELECT attempt, max(seq) AS seq FROM verdicts WHERE signal_type IN ('judgment', 'behavioral') GROUP BY attempt),
      acted AS (SELECT data.attempt AS attempt, max(seq) AS seq FROM ev_action GROUP BY ALL)
      SELECT $run AS run, $skill AS skill, $part AS part, n.item, i.family, i.split, n.attempt, n.attempt_number,
      v."value" AS verdict_value, CASE WHEN list_contains(v.flags, 'conflict') THEN NULL ELSE v.passed END AS eval_passed,
      v.confidence, v.failure_mode, v.signal_type, v.verifier_id, v.verifier_version, v.before_passed, v.flags, v.evidence,
      o.passed AS audit_passed, o.confidence AS audit_confidence,
      coalesce(w.turns, 0) AS turns, coalesce(w.prompt_tokens, 0) AS prompt_tokens,
      coalesce(w.completion_tokens, 0) AS completion_tokens, t.turn AS last_turn, a.data.turn AS action_turn, t.messages AS prompt_messages,
      t.response AS response_message, a.data.call AS tool_call, a.data."exitCode" AS exit_code, a.data.stdout AS stdout,
      a.data.stderr AS stderr, a.data."durationMs" AS duration_ms
      FROM (SELECT * FROM ${withAttempt("named")} WHERE item <> $skill || ':@select') n
      LEFT JOIN items i ON i.item = n.item
      LEFT JOIN worked w ON w.attempt = n.attempt LEFT JOIN turns t ON t.seq = w.seq
      LEFT JOIN decided d ON d.attempt = n.attempt LEFT JOIN verdicts v ON v.seq = d.seq
      LEFT JOIN audited ON audited.attempt = n.attempt LEFT JOIN verdicts o ON o.seq = audited.seq
      LEFT JOIN acted ON acted.attempt = n.attempt LEFT JOIN ev_action a ON a.seq = acted.seq
      ORDER BY n.item, n.attempt_number`,
  },
  {
    name: "runs",
    query: `SELECT $run AS run, $skill AS skill, data.skill.version AS skill_version, data.skill.hash AS skill_hash,
      data.split AS split, data.memory AS memory, data.seed AS seed, CAST("at" AS TIMESTAMP) AS started_at,
      (SELECT CAST(max("at") AS TIMESTAMP) FROM ev_run_finished) AS finished_at, $head AS head, data."codeVersion" AS code_version,
      data.comparison."comparisonHash" AS comparison, data.comparison.arm AS arm,
      CASE WHEN data.comparison IS NOT NULL THEN coalesce(data.comparison.sample, 1) END AS sample,
      coalesce(data.models->>'$.worker.name', data.models->>'$.worker.rule') AS worker_model,
      data.models->>'$.worker.baseHash' AS worker_base_hash, data.models->>'$.worker.adapterHash' AS worker_adapter_hash,
      data.config AS config
      FROM ev_run_started`,
  },
];
