/**
 * Judges one query on a prepared item: rules first, then content by content until one differs.
 */
import { type Database, TimeLimit } from "./database.ts";
import type { FailureMode } from "./manifest.ts";
import { type ExpectedContent, type PreparedTask, QUERY_LIMIT_MS, ROW_LIMIT } from "./prepared-task.ts";
import { MAX_QUERY_LENGTH, type Objection, objectionTo } from "./query-rules.ts";
import { blocksDifference, isColumnPermutation, type Row, shownValue } from "./result-sets.ts";
import type { Outcome } from "./verifier-protocol.ts";

type Judged = Outcome["contents"][number];
type Fault = { failureMode: FailureMode; reason: string };

/** Says why a query may not run at all; null where it may. */
export async function screen(database: Database, query: string, tables: readonly string[]): Promise<Objection | null> {
  if (query.length > MAX_QUERY_LENGTH) {
    return { failureMode: "forbidden", reason: `the query is longer than ${MAX_QUERY_LENGTH} characters` };
  }
  return objectionTo(await database.syntaxTree(query), tables);
}

/** Units: the time limit holds for all contents together. */
export async function judge(
  database: Database,
  { prepared, tables }: { prepared: PreparedTask; tables: readonly string[] },
  query: string,
): Promise<Outcome> {
  const objection = await screen(database, query, tables);
  const outcome: Outcome = { failureMode: null, reason: null, contents: [], result: null, isSpent: false };
  if (objection !== null) return { ...outcome, ...objection };
  const deadline = performance.now() + QUERY_LIMIT_MS;
  for (const expected of prepared.contents) {
    const { judged, fault, isSpent, result } = await judgeContent(database, { expected, deadline }, query);
    outcome.contents.push(judged);
    outcome.result ??= result;
    if (fault !== null) return { ...outcome, ...fault, isSpent };
  }
  return outcome;
}

interface ContentJudgement {
  judged: Judged;
  fault: Fault | null;
  isSpent: boolean;
  result: Outcome["result"];
}

async function judgeContent(
  database: Database,
  { expected, deadline }: { expected: ExpectedContent; deadline: number },
  query: string,
): Promise<ContentJudgement> {
  const expectedRows = expected.blocks.flat();
  const judged: Judged = { content: expected.content, expectedRows: expectedRows.length, rows: null, difference: null };
  try {
    await database.run(`USE ${expected.schema}`);
    const limitMs = Math.max(1, deadline - performance.now());
    const { columns, rows, isCut } = await database.query(query, { limitMs, rowLimit: ROW_LIMIT });
    judged.rows = rows.length;
    const result = { columns, rows: rows.map(shownRow) };
    const fault = compare(expected, { columns: columns.length, rows, isCut }, judged);
    return { judged, fault, isSpent: false, result };
  } catch (error) {
    return { judged, fault: queryFault(error), isSpent: isSpent(error), result: null };
  }
}

function compare(
  expected: ExpectedContent,
  got: { columns: number; rows: Row[]; isCut: boolean },
  judged: Judged,
): Fault | null {
  if (got.columns !== expected.columns) {
    return { failureMode: "wrong-columns", reason: `${got.columns} columns where ${expected.columns} were expected` };
  }
  if (got.isCut) {
    const reason = `more than ${ROW_LIMIT} rows where ${judged.expectedRows} were expected`;
    return { failureMode: "wrong-rows", reason };
  }
  const difference = blocksDifference(expected.blocks, got.rows);
  if (difference === null) return null;
  judged.difference = {
    row: difference.row,
    expected: difference.expected && shownRow(difference.expected),
    got: difference.got && shownRow(difference.got),
  };
  const all = expected.blocks.flat();
  if (blocksDifference([all], got.rows) === null)
    return { failureMode: "wrong-rows", reason: "the right rows in the wrong order" };
  if (expected.columns > 1 && isColumnPermutation(all, got.rows)) {
    return { failureMode: "wrong-columns", reason: "the right columns in the wrong order" };
  }
  return {
    failureMode: "wrong-rows",
    reason: `the rows differ (${got.rows.length} where ${all.length} were expected)`,
  };
}

/** What a query's error says of it. */
export function queryFault(error: unknown): Fault {
  if (error instanceof TimeLimit) return { failureMode: "timeout", reason: `longer than ${QUERY_LIMIT_MS} ms` };
  const reason = error instanceof Error ? error.message : String(error);
  if (/^Permission Error/.test(reason)) return { failureMode: "forbidden", reason };
  return { failureMode: "runtime", reason };
}

/** Whether the database had better not be used again: it was stopped half-way, or is out of memory. */
export function isSpent(error: unknown): boolean {
  return error instanceof TimeLimit || /Out of Memory|FATAL|INTERNAL|invalidated/.test(String(error));
}

/** A row as evidence holds it. */
export function shownRow(row: Row): (null | boolean | number | string)[] {
  return row.map(shownValue);
}
