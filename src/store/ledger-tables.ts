/**
 * What the ledger says of sealed runs, as tables of the lake's database: no file of the lake holds it, as it is said after
 * they were made. Pure text, a statement at a time.
 */
import type { LateVerdict, TipRetirement } from "../records/ledger-entries.ts";
import { sqlText } from "./duckdb.ts";

export interface Said {
  retirements: Iterable<TipRetirement>;
  /** In the order in which they were given. */
  late: Iterable<LateVerdict & { seq: number; at: string }>;
}

const ROWS_A_STATEMENT = 200;

/** Yields the statements that make `ledger.tip_retirements`, `ledger.verdicts`, and of these the ones that hold. */
export function* ledgerTables({ retirements, late }: Said): Generator<string> {
  yield "CREATE SCHEMA ledger";
  yield "CREATE TABLE ledger.tip_retirements (tip VARCHAR, reason VARCHAR, merged_into VARCHAR)";
  yield* inserts("tip_retirements", retirements, ({ tip, reason, mergedInto }) => [tip, reason, mergedInto].map(text));
  yield `CREATE TABLE ledger.verdicts (run VARCHAR, attempt VARCHAR, seq BIGINT, recorded_at TIMESTAMP, "value" DOUBLE,
    confidence DOUBLE, passed BOOLEAN, failure_mode VARCHAR, signal_type VARCHAR, verifier_id VARCHAR,
    verifier_version VARCHAR, before_passed BOOLEAN, flags VARCHAR[], evidence JSON)`;
  yield* inserts("verdicts", late, ({ run, attempt, seq, at, verdict }) => [
    ...[text(run), text(attempt), String(seq), text(at.replace("Z", "")), String(verdict.value)],
    ...[String(verdict.confidence), String(verdict.passed), text(verdict.failureMode), text(verdict.signalType)],
    ...[text(verdict.verifier.id), text(verdict.verifier.version), String(verdict.before?.passed ?? null)],
    ...[`[${verdict.flags.map(text).join(", ")}]::VARCHAR[]`, text(JSON.stringify(verdict.evidence))],
  ]);
  for (const [name, kind] of [
    ["deciding", "signal_type <> 'judgment'"],
    ["opinions", "signal_type = 'judgment'"],
  ]) {
    yield `CREATE TABLE ledger.${name} AS SELECT * FROM ledger.verdicts WHERE ${kind}
      QUALIFY row_number() OVER (PARTITION BY attempt ORDER BY seq DESC) = 1`;
  }
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
