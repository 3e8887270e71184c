/**
 * An item made ready for judging: contents of its tables in the database, and what the reference gives on each.
 *
 * A content is used where the reference has one answer on it (the same from the same rows stored in reverse order),
 * and is preferred where that answer is not empty. There are at least three; more are added while they tell the
 * reference from wrong but plausible variants of it that no earlier one told apart.
 */
import { assert } from "../../src/foundation/errors.ts";
import { drawContent, sqlLiteral, sqlName, type TableContent } from "./contents.ts";
import type { Database } from "./database.ts";
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
const PATIENCE = 2;
export const ROW_LIMIT = 1000;
export const QUERY_LIMIT_MS = 2000;

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

/** The reference's answer hangs on the order in which rows are stored: a LIMIT that cuts ties, or any_value. */
export class NoAnswer extends Error {
  constructor() {
    super("the reference's result depends on the order in which the rows are stored");
  }
}

export async function dropSchema(database: Database, schema: string): Promise<void> {
  await database.run(`USE memory.main; DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

/** Makes the tables of one content, and the same with their rows in reverse where the query needs it. */
export async function fillSchema(
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

async function expectedOn(
  database: Database,
  task: TaskDetail,
  { schema, content }: { schema: string; content: number },
): Promise<ExpectedContent | null> {
  const tables = drawContent(task.tables, task.contentsSeed, content);
  const reversed = tables.map((table) => ({ ...table, rows: [...table.rows].reverse() }));
  await fillSchema(database, { schema: `${schema}_r`, ddl: task.schema }, reversed);
  const other = await database.query(task.reference, limits);
  await dropSchema(database, `${schema}_r`);
  await fillSchema(database, { schema, ddl: task.schema }, tables);
  const result = await database.query(task.reference, limits);
  assert(!result.isCut, `a reference gives more than ${ROW_LIMIT} rows`);
  const isSame = bagDifference(result.rows, other.rows) === null;
  const blocks = task.ordered ? tieBlocks(result.rows, other.rows) : isSame ? [[...result.rows]] : null;
  if (blocks !== null) return { content, schema, columns: result.columns.length, blocks };
  await dropSchema(database, schema);
  return null;
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
