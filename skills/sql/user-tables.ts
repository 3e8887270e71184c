/**
 * How the contents of a user's own tables are drawn: by the columns' types, with the literals of the reference among
 * the values, so that its conditions meet some rows and miss others.
 */
import { addDays } from "./contents.ts";
import type { ColumnDraw, ColumnShape, TableShape } from "./task-detail.ts";
import type { InspectedColumn } from "./verifier-protocol.ts";

const ROWS: [number, number] = [10, 16];
const NULL_FRACTION = 0.12;
const WORDS =
  "amber, birch, cedar, delta, ember, fjord, grove, harbor, indigo, juniper, karst, lagoon, mesa, nectar, onyx, prairie, quartz, ridge, sable, tundra";
const NUMBER_TYPES = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const DATE_TYPES = /^(DATE|TIMESTAMP( WITH TIME ZONE|_S|_MS|_NS)?)$/;

interface Literals {
  texts: string[];
  numbers: number[];
  dates: string[];
}

/** A column whose type no values are drawn for. */
export class UnsupportedType extends Error {
  constructor({ table, column, type }: InspectedColumn) {
    super(`column ${table}.${column} has type ${type}`);
  }
}

/**
 * Shapes: the tables in the order in which their columns come, which is the order of their creation.
 * Throws: `UnsupportedType`.
 */
export function userTables(columns: readonly InspectedColumn[], reference: string): TableShape[] {
  const literals = literalsOf(reference);
  const names = [...new Set(columns.map(({ table }) => table))];
  return names.map((name) => ({
    name,
    rows: ROWS,
    columns: columns.filter(({ table }) => table === name).map((column) => columnShape(column, columns, literals)),
  }));
}

function columnShape(column: InspectedColumn, all: readonly InspectedColumn[], literals: Literals): ColumnShape {
  const target = column.references ?? sharedKey(column, all);
  const values: ColumnDraw = target === null ? drawOf(column, literals) : { draw: "reference", ...target };
  const isUnique = column.isUnique || values.draw === "key";
  return { name: column.column, values, isUnique, nullFraction: column.isNullable && !isUnique ? NULL_FRACTION : 0 };
}

/** An earlier table's unique column that this one points to by name: `author_id` to authors.author_id or authors.id. */
function sharedKey(column: InspectedColumn, all: readonly InspectedColumn[]): { table: string; column: string } | null {
  const stem = /^(.+)_id$/i.exec(column.column)?.[1]?.toLowerCase();
  if (stem === undefined || ownsKey(column)) return null;
  const isEarlier = (other: InspectedColumn) =>
    all.indexOf(other) < all.indexOf(column) && other.table !== column.table;
  const target = all.find(
    (other) =>
      isEarlier(other) &&
      (other.column === column.column ||
        (other.column.toLowerCase() === "id" && other.table.toLowerCase().startsWith(stem))),
  );
  return target === undefined ? null : { table: target.table, column: target.column };
}

/** `authors.author_id` and `authors.id` name the rows of their own table. */
function ownsKey({ table, column, isUnique }: InspectedColumn): boolean {
  const stem = column.toLowerCase().replace(/_?id$/, "");
  return (
    isUnique || column.toLowerCase() === "id" || (stem !== column.toLowerCase() && table.toLowerCase().startsWith(stem))
  );
}

function drawOf(column: InspectedColumn, { texts, numbers, dates }: Literals): ColumnDraw {
  const { type } = column;
  if (type === "BOOLEAN") return { draw: "boolean" };
  if (type === "VARCHAR") return { draw: "text", from: [...texts, ...WORDS.split(", ")], focus: texts };
  if (DATE_TYPES.test(type)) {
    const middle = dates[0] ?? "2022-06-15";
    const focus = dates.flatMap((date) => [date, addDays(date, 1), addDays(date, -1)]);
    return { draw: "date", low: addDays(middle, -900), high: addDays(middle, 900), focus };
  }
  if (!NUMBER_TYPES.test(type)) throw new UnsupportedType(column);
  return /INT/.test(type) && ownsKey(column) ? { draw: "key" } : numberDraw(type, numbers);
}

/** Around the reference's numbers, and within what the type can hold. */
function numberDraw(type: string, literals: readonly number[]): ColumnDraw {
  const [low, high] = numberRange(type);
  const isWhole = /INT/.test(type);
  const step = isWhole ? 1 : Math.max(0.01, 10 ** -Number(/,(\d+)\)/.exec(type)?.[1] ?? 2));
  const fitting = literals.filter((value) => value >= low && value <= high && (!isWhole || Number.isInteger(value)));
  const wanted = fitting
    .flatMap((value) => [value, value + step, value - step])
    .filter((value) => value >= low && value <= high);
  const largest = Math.max(20, ...fitting.map(Math.abs));
  return {
    draw: "number",
    low: Math.max(low, Math.min(0, ...fitting)),
    high: Math.min(high, 2 * largest),
    step,
    focus: wanted,
  };
}

function numberRange(type: string): [number, number] {
  if (/^U/.test(type)) return [0, 255];
  if (type === "TINYINT") return [-128, 127];
  if (type === "SMALLINT") return [-32_768, 32_767];
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal === null) return [-2_000_000_000, 2_000_000_000];
  const most = 10 ** (Number(decimal[1]) - Number(decimal[2])) - 1;
  return [-most, most];
}

/** LIKE patterns give texts that match them. Years stand for a day in them. */
function literalsOf(reference: string): Literals {
  const quoted = [...reference.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] ?? "").replaceAll("''", "'"));
  const dates = quoted.map((text) => text.slice(0, 10)).filter(isDay);
  const texts = quoted
    .filter((text) => !isDay(text.slice(0, 10)) && text !== "")
    .map((text) => text.replaceAll("%", "ex").replaceAll("_", "y"));
  const bare = reference.replaceAll(/'(?:[^']|'')*'/g, " ");
  const numbers = [...bare.matchAll(/(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])/g)].map((match) => Number(match[0]));
  const years = numbers.filter((value) => value >= 1900 && value <= 2100).map((year) => `${year}-06-15`);
  return { texts: [...new Set(texts)], numbers: [...new Set(numbers)], dates: [...new Set([...dates, ...years])] };
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}
