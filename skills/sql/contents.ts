/**
 * Draws the contents of an item's tables: the same detail and number give the same rows on every machine.
 * Edge cases come up in each: values at and beside those that the question turns on, nulls where a column may be
 * null, and ties except in columns whose values must differ.
 */
import { type Random, random } from "../../src/foundation/random.ts";
import type { ColumnDraw, ColumnShape, TableShape } from "./task-detail.ts";

export type Cell = string | number | boolean | null;

export interface TableContent {
  table: string;
  columns: string[];
  rows: Cell[][];
}

const FOCUS_FRACTION = 0.3;
const DAY_MS = 86_400_000;
/** How often a unique column is drawn again before the table ends at the rows that it has. */
const UNIQUE_DRAWS = 200;

/** Returns the `n`th content of the tables, in the order of the tables. */
export function drawContent(tables: readonly TableShape[], contentsSeed: number, n: number): TableContent[] {
  const made: TableContent[] = [];
  for (const table of tables) {
    const source = random("sql-contents", contentsSeed, n, table.name);
    made.push(drawTable(table, source, made));
  }
  return made;
}

function drawTable(table: TableShape, source: Random, earlier: readonly TableContent[]): TableContent {
  const wanted = source.integer(...table.rows);
  const columns = table.columns.map((column) => drawColumn(column, wanted, { source, earlier }));
  const count = Math.min(...columns.map((values) => values.length));
  return {
    table: table.name,
    columns: table.columns.map((column) => column.name),
    rows: Array.from({ length: count }, (_, row) => columns.map((values) => values[row] ?? null)),
  };
}

function drawColumn(
  column: ColumnShape,
  count: number,
  { source, earlier }: { source: Random; earlier: readonly TableContent[] },
): Cell[] {
  if (column.values.draw === "key") return source.shuffle(Array.from({ length: count }, (_, i) => i + 1));
  if (column.values.draw === "text" && column.isUnique) return uniqueTexts(column.values, count, source);
  const seen = new Set<Cell>();
  const values: Cell[] = [];
  for (let tries = 0; values.length < count && tries < UNIQUE_DRAWS + count; tries++) {
    const value = source.next() < column.nullFraction ? null : drawValue(column.values, source, earlier);
    if (column.isUnique && value !== null && seen.has(value)) continue;
    seen.add(value);
    values.push(value);
  }
  return values;
}

/** A sample without repetition that holds the focus values, so that a question about one row's name finds it. */
function uniqueTexts(draw: Extract<ColumnDraw, { draw: "text" }>, count: number, source: Random): Cell[] {
  const others = source.shuffle(draw.from.filter((value) => !draw.focus.includes(value)));
  return source.shuffle([...new Set([...draw.focus, ...others])].slice(0, count));
}

function drawValue(draw: ColumnDraw, source: Random, earlier: readonly TableContent[]): Cell {
  switch (draw.draw) {
    case "boolean":
      return source.next() < 0.5;
    case "reference":
      return referenced(draw, source, earlier);
    case "key":
      return null;
    case "text":
      return source.pick(isFocus(draw.focus, source) ? draw.focus : draw.from);
    case "number":
      return isFocus(draw.focus, source) ? source.pick(draw.focus) : steppedNumber(draw, source);
    case "date":
      return isFocus(draw.focus, source) ? source.pick(draw.focus) : day(draw.low, draw.high, source);
  }
}

function isFocus(focus: readonly unknown[], source: Random): boolean {
  return focus.length > 0 && source.next() < FOCUS_FRACTION;
}

/** Any row of the other table but its last, so that one of them has no row that refers to it. */
function referenced(
  { table, column }: { table: string; column: string },
  source: Random,
  earlier: readonly TableContent[],
): Cell {
  const target = earlier.find((content) => content.table === table);
  if (target === undefined || target.rows.length === 0) return null;
  const row = target.rows[source.integer(0, Math.max(0, target.rows.length - 2))];
  return row?.[target.columns.indexOf(column)] ?? null;
}

/** Rounded to the step's own decimals, so that 0.1 + 0.2 never shows. */
function steppedNumber({ low, high, step }: { low: number; high: number; step: number }, source: Random): number {
  const value = low + step * source.integer(0, Math.floor((high - low) / step));
  return Number(value.toFixed(Math.max(0, Math.ceil(-Math.log10(step)))));
}

function day(low: string, high: string, source: Random): string {
  const days = Math.floor((Date.parse(high) - Date.parse(low)) / DAY_MS);
  return addDays(low, source.integer(0, days));
}

/** Moves an ISO date by whole days. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Writes a cell as an SQL literal; DuckDB casts texts to dates and timestamps by the column's type. */
export function sqlLiteral(cell: Cell): string {
  if (cell === null) return "NULL";
  return typeof cell === "string" ? `'${cell.replaceAll("'", "''")}'` : String(cell);
}

/** Quotes an identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
