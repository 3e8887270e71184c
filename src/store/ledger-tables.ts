/**
 * What the ledger says of sealed runs, as tables of the lake's database: no file of the lake holds it, as it is said after
 * they were made. Pure text, a statement at a time.
 */
import type { RunId } from "../records/ids.ts";
import type { LateVerdict, Revocation, TipRetirement } from "../records/ledger-entries.ts";
import { sqlText } from "./duckdb.ts";

export interface Said {
  retirements: Iterable<TipRetirement>;
  revocations: readonly Revocation[];
  /** Runs that another one stands for now, each with that one. */
  covered: ReadonlyMap<RunId, RunId>;
  /** In the order in which they were given. */
  late: Iterable<LateVerdict & { seq: number; at: string }>;
}

const ROWS_A_STATEMENT = 200;

/** A person's word decides only where no check does, and is an opinion either way. */
const MAY_DECIDE = "signal_type <> 'judgment'";
const CHECKS_FIRST = "signal_type = 'behavioral'";
const IS_OPINION = "signal_type IN ('judgment', 'behavioral')";

/**
 * Yields the statements that make what the ledger says: `ledger.tip_retirements`, `ledger.revocations` with the turns
 * whose prompts hold a revoked tip, `ledger.coverings`, `ledger.verdicts`, and of these the ones that hold.
 */
export function* ledgerTables({ retirements, revocations, covered, late }: Said): Generator<string> {
  yield "CREATE SCHEMA ledger";
  yield "CREATE TABLE ledger.tip_retirements (tip VARCHAR, reason VARCHAR, merged_into VARCHAR)";
  yield* inserts("tip_retirements", retirements, ({ tip, reason, mergedInto }) => [tip, reason, mergedInto].map(text));
  yield "CREATE TABLE ledger.revocations (kind VARCHAR, target VARCHAR, reason VARCHAR)";
  yield* inserts("revocations", revocations, ({ kind, target, reason }) => [kind, target, reason].map(text));
  yield "CREATE TABLE ledger.coverings (run VARCHAR, covered_by VARCHAR)";
  yield* inserts("coverings", covered, (runs) => runs.map(text));
  yield `CREATE TABLE ledger.verdicts (run VARCHAR, attempt VARCHAR, seq BIGINT, recorded_at TIMESTAMP, "value" DOUBLE,
    confidence DOUBLE, passed BOOLEAN, failure_mode VARCHAR, signal_type VARCHAR, verifier_id VARCHAR,
    verifier_version VARCHAR, before_passed BOOLEAN, flags VARCHAR[], evidence JSON)`;
  yield* inserts("verdicts", late, ({ run, attempt, seq, at, verdict }) => [
    ...[text(run), text(attempt), String(seq), text(at.replace("Z", "")), String(verdict.value)],
    ...[String(verdict.confidence), String(verdict.passed), text(verdict.failureMode), text(verdict.signalType)],
    ...[text(verdict.verifier.id), text(verdict.verifier.version), String(verdict.before?.passed ?? null)],
    ...[`[${verdict.flags.map(text).join(", ")}]::VARCHAR[]`, text(JSON.stringify(verdict.evidence))],
  ]);
  const kinds = new Set(revocations.map(({ kind }) => kind));
  yield* revokedTurns(kinds.has("tip"));
  yield* kinds.has("verifier") ? standingVerdicts() : latestVerdicts();
  yield* saidBefore();
}

/** Without a revoked tip the files are not read: a lake is opened far more often than a tip is revoked. */
function* revokedTurns(isAnyTip: boolean): Generator<string> {
  yield "CREATE TABLE ledger.revoked_turns (turn VARCHAR)";
  if (!isAnyTip) return;
  yield `INSERT INTO ledger.revoked_turns SELECT DISTINCT turn FROM sealed.rendered_tips
    WHERE tip IN (${revokedTargets("tip")})`;
}

/** Of the verdicts given late, an attempt's latest one of each kind. */
function* latestVerdicts(): Generator<string> {
  yield `CREATE TABLE ledger.deciding AS SELECT *, true AS is_late FROM ledger.verdicts WHERE ${MAY_DECIDE}
    QUALIFY row_number() OVER (PARTITION BY attempt ORDER BY ${CHECKS_FIRST}, seq DESC) = 1`;
  yield `CREATE TABLE ledger.opinions AS SELECT *, true AS is_late FROM ledger.verdicts WHERE ${IS_OPINION}
    QUALIFY row_number() OVER (PARTITION BY attempt ORDER BY seq DESC) = 1`;
}

/**
 * The same where verifiers are revoked: of an attempt that one of them judged, the latest verdict that stands, be it of
 * the ledger (`is_late`) or of the log. Where no opinion stands there is one without a word, which hides that of the log.
 */
function* standingVerdicts(): Generator<string> {
  yield `CREATE VIEW ledger.said AS SELECT *, true AS is_late, ${isByRevoked("v")} AS is_revoked FROM ledger.verdicts v`;
  yield `CREATE VIEW ledger.logged AS SELECT * EXCLUDE (skill), false AS is_late, ${isByRevoked("v")} AS is_revoked
    FROM sealed.verdicts v`;
  const judged = (kind: string) => `SELECT * FROM ledger.said WHERE ${kind} UNION ALL BY NAME
    SELECT * FROM ledger.logged WHERE ${kind} AND attempt IN (SELECT attempt FROM ledger.said WHERE ${kind} AND is_revoked
      UNION SELECT attempt FROM ledger.logged WHERE ${kind} AND is_revoked)`;
  yield `CREATE TABLE ledger.deciding AS SELECT * EXCLUDE (is_revoked) FROM (${judged(MAY_DECIDE)})
    WHERE NOT is_revoked
    QUALIFY row_number() OVER (PARTITION BY attempt ORDER BY ${CHECKS_FIRST}, is_late DESC, seq DESC) = 1`;
  yield `CREATE TABLE ledger.opinions AS SELECT attempt, CASE WHEN NOT is_revoked THEN passed END AS passed,
    CASE WHEN NOT is_revoked THEN confidence END AS confidence FROM (${judged(IS_OPINION)})
    QUALIFY row_number() OVER (PARTITION BY attempt ORDER BY is_revoked, is_late DESC, seq DESC) = 1`;
}

/**
 * What late verdicts say of an attempt beside its outcome: since the last one that looked at the state before the action,
 * `before_passed` of that one and the flags of all.
 */
function* saidBefore(): Generator<string> {
  yield `CREATE TABLE ledger.said_before AS SELECT attempt, any_value(before_passed) AS before_passed, flatten(list(flags)) AS flags
    FROM (SELECT attempt, before_passed, flags FROM ledger.verdicts v
      WHERE signal_type <> 'judgment' AND NOT ${isByRevoked("v")}
      QUALIFY seq >= coalesce(max(CASE WHEN before_passed IS NOT NULL THEN seq END) OVER (PARTITION BY attempt), 0))
    GROUP BY attempt`;
}

/** Selects what was revoked of a kind. */
export function revokedTargets(kind: Revocation["kind"]): string {
  return `SELECT target FROM ledger.revocations WHERE kind = '${kind}'`;
}

/** Whether the verifier of a row that names one is revoked. */
export function isByRevoked(verdict: string): string {
  return `(${verdict}.verifier_id || '@' || ${verdict}.verifier_version) IN (${revokedTargets("verifier")})`;
}

function* inserts<T>(table: string, rows: Iterable<T>, valuesOf: (row: T) => string[]): Generator<string> {
  let waiting: string[] = [];
  const statement = () => `INSERT INTO ledger.${table} VALUES ${waiting.join(", ")}`;
  for (const row of rows) {
    waiting.push(`(${valuesOf(row).join(", ")})`);
    if (waiting.length < ROWS_A_STATEMENT) continue;
    yield statement();
    waiting = [];
  }
  if (waiting.length > 0) yield statement();
}

function text(value: string | null): string {
  return value === null ? "NULL" : sqlText(value);
}
