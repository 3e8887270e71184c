/**
 * An item made ready for judging: contents of its tables in the database, and what the reference gives on each.
 *
 * A content is used where the reference has one answer on it (the same from the same rows stored in other orders), and
 * is preferred where that answer is not empty. There are at least three; more are added while they tell the
 * reference from wrong but plausible variants of it that no earlier one told apart.
 */
import { random } from "../../src/foundation/random.ts";
import { drawContent, sqlLiteral, sqlName, type TableContent } from "./contents.ts";
import type { Database, Result } from "./database.ts";
import { mutants } from "./mutants.ts";
import { bagDifference, blocksDifference, type Row, tieBlocks } from "./result-sets.ts";
import type { TaskDetail } from "./task-detail.ts";

export interface ExpectedContent {
  /** Its number among the item's contents. */
  content: number;
  /** The database schema that holds its tables. */
  schema: string;
  columns: number;
  /** The expected rows, in blocks whose inner order is free. */
  blocks: Row[][];
}

export interface PreparedTask {
  contents: ExpectedContent[];
  /** Variants of the reference that no content tells apart from it. */
  survivors: string[];
}

export const MIN_CONTENTS = 3;
/** How many contents are drawn at most in looking for three good ones. */
const DRAWS = 16;
/** After how many further draws that tell nothing new the search for more ends: what is left means the same. */
const PATIENCE = 4;
export const ROW_LIMIT = 1000;
export const QUERY_LIMIT_MS = 2000;

const PICKS_ROWS =
  /\b(LIMIT|OFFSET|FETCH|OVER|QUALIFY|SAMPLE|DISTINCT\s+ON|FIRST|LAST|ANY_VALUE|ARBITRARY|MODE|ARG_\w+|M(?:AX|IN)_BY)\b/i;

const limits = { limitMs: QUERY_LIMIT_MS, rowLimit: ROW_LIMIT };

/**
 * Fills the schemas `<name>_0`, `<name>_1`, ... and runs the reference on each.
 * Throws: the database's own error where the schema or the reference does not run; `NoAnswer` where too few contents
 * give one answer.
 */
export async function prepareTask(database: Database, task: TaskDetail, name: string): Promise<PreparedTask> {
  const contents: ExpectedContent[] = [];
  const spare: ExpectedContent[] = [];
  let survivors = mutants(task.reference);
  let inVain = 0;
  for (let n = 0; n < DRAWS && inVain < PATIENCE; n++) {
    const isEnough = contents.length >= MIN_CONTENTS;
    if (isEnough && survivors.length === 0) break;
    const expected = await expectedOn(database, task, { schema: `${name}_${n}`, content: n });
    if (expected === null) continue;
    const left = await stillEqual(database, expected, survivors);
    const isNew = isTelling(expected) && (!isEnough || left.length < survivors.length);
    (isNew ? contents : spare).push(expected);
    if (isNew) survivors = left;
    else if (isEnough) inVain++;
  }
  while (contents.length < MIN_CONTENTS && spare.length > 0) contents.push(spare.shift() as ExpectedContent);
  if (contents.length < MIN_CONTENTS) throw new NoAnswer();
  for (const { schema } of spare) await dropSchema(database, schema);
  return { contents, survivors };
}

/** Fills the schemas of a prepared item once more, after they were dropped. */
export async function refillTask(database: Database, task: TaskDetail, { contents }: PreparedTask): Promise<void> {
  for (const { schema, content } of contents) {
    await fillSchema(database, { schema, ddl: task.schema }, drawContent(task.tables, task.contentsSeed, content));
  }
}

/** The reference's answer hangs on the order in which rows are stored: a LIMIT that cuts ties, or any_value. */
export class NoAnswer extends Error {
  constructor() {
    super("the reference's result depends on the order in which the rows are stored");
  }
}

/** Drops a content's schema, where it is there. */
export async function dropSchema(database: Database, schema: string): Promise<void> {
  await database.run(`USE memory.main; DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

/** Makes a schema with the tables and their rows, and turns to it. */
async function fillSchema(
  database: Database,
  place: { schema: string; ddl: string },
  tables: readonly TableContent[],
): Promise<void> {
  const inserts = tables.filter(({ rows }) => rows.length > 0).map(insertStatement);
  await database.run(`CREATE SCHEMA ${place.schema}; USE ${place.schema}; ${[place.ddl, ...inserts].join(";\n")}`);
}

function insertStatement({ table, columns, rows }: TableContent): string {
  const values = rows.map((row) => `(${row.map(sqlLiteral).join(", ")})`);
  return `INSERT INTO ${sqlName(table)} (${columns.map(sqlName).join(", ")}) VALUES ${values.join(", ")}`;
}

/** The reference's answer on one content, which is left in the database; null, and nothing left, where it has none. */
async function expectedOn(
  database: Database,
  task: TaskDetail,
  { schema, content }: { schema: string; content: number },
): Promise<ExpectedContent | null> {
  const tables = drawContent(task.tables, task.contentsSeed, content);
  const others: Row[][] = [];
  for (const reordered of reorderings(tables, task, content)) {
    others.push((await resultOn(database, task, { schema: `${schema}_r`, tables: reordered })).rows);
    await dropSchema(database, `${schema}_r`);
  }
  const result = await resultOn(database, task, { schema, tables });
  const blocks = task.ordered ? tieBlocks(result.rows, others) : oneBag(result.rows, others);
  if (blocks !== null) return { content, schema, columns: result.columns.length, blocks };
  await dropSchema(database, schema);
  return null;
}

/**
 * The same rows stored in other orders: reversed; and where the query picks some of its rows also twice at random, as
 * the row at the end may happen to look like the one at the beginning.
 */
function reorderings(tables: readonly TableContent[], task: TaskDetail, content: number): TableContent[][] {
  const orders: ((rows: TableContent["rows"]) => TableContent["rows"])[] = [(rows) => rows.toReversed()];
  if (PICKS_ROWS.test(task.reference)) {
    orders.push(random("sql-reordering", content, 1).shuffle, random("sql-reordering", content, 2).shuffle);
  }
  return orders.map((order) => tables.map((table) => ({ ...table, rows: order(table.rows) })));
}

async function resultOn(
  database: Database,
  task: TaskDetail,
  { schema, tables }: { schema: string; tables: readonly TableContent[] },
): Promise<Result> {
  await fillSchema(database, { schema, ddl: task.schema }, tables);
  const result = await database.query(task.reference, limits);
  if (result.isCut) throw new Error(`the reference gives more than ${ROW_LIMIT} rows`);
  return result;
}

function oneBag(rows: Row[], others: readonly Row[][]): Row[][] | null {
  return others.every((other) => bagDifference(rows, other) === null) ? [rows] : null;
}

/** Whether an answer says something: it has a row that is not just null or zero. */
function isTelling({ blocks }: ExpectedContent): boolean {
  return blocks.some((block) => block.some((row) => row.some((value) => value !== null && value !== 0)));
}

/** Those variants that give the expected rows on this content too. */
async function stillEqual(database: Database, expected: ExpectedContent, variants: string[]): Promise<string[]> {
  const left: string[] = [];
  for (const variant of variants) {
    const result = await database.query(variant, limits).catch(() => null);
    if (result === null || result.isCut || result.columns.length !== expected.columns) continue;
    if (blocksDifference(expected.blocks, result.rows) === null) left.push(variant);
  }
  return left;
}
