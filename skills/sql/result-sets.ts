/**
 * When two results are the same: as bags of rows, or as lists where an order is asked for.
 *
 * Column order matters, column names do not. Numbers are equal by value whatever their type: whole ones exactly,
 * others to 1e-6. A date and a timestamp at midnight are the same; a text that looks like a date is not a date.
 * Where the order leaves ties, the expected rows come in blocks, and within a block any order will do.
 */

/** A value of a result: dates and times are texts that open with their kind. */
export type Value = null | boolean | number | bigint | string;
export type Row = readonly Value[];

export interface Difference {
  /** Position in the expected rows, from 0. */
  row: number;
  expected: Row | null;
  got: Row | null;
}

const ABSOLUTE_TOLERANCE = 1e-6;
/** For numbers so large that their own rounding is more than 1e-6. */
const RELATIVE_TOLERANCE = 1e-9;

function equalNumbers(a: number | bigint, b: number | bigint): boolean {
  if (isWhole(a) && isWhole(b)) return BigInt(a) === BigInt(b);
  const [x, y] = [Number(a), Number(b)];
  if (Object.is(x, y) || x === y) return true;
  return Math.abs(x - y) <= Math.max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * Math.max(Math.abs(x), Math.abs(y)));
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** Whether two rows hold the same values in the same columns; numbers by value. */
export function equalRows(a: Row, b: Row): boolean {
  return a.length === b.length && a.every((value, i) => equalValues(value, b[i] as Value));
}

function equalValues(a: Value, b: Value): boolean {
  return isNumeric(a) && isNumeric(b) ? equalNumbers(a, b) : a === b;
}

/** Orders rows by their exact values first and their numbers last, so that nearly equal numbers meet. */
function compareRows(a: Row, b: Row): number {
  for (const numeric of [false, true]) {
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [a[i] as Value, b[i] as Value];
      if (isNumeric(x) !== numeric && isNumeric(y) !== numeric) continue;
      const order = compareValues(x, y);
      if (order !== 0) return order;
    }
  }
  return 0;
}

function compareValues(x: Value, y: Value): number {
  if (isNumeric(x) && isNumeric(y)) return x < y ? -1 : x > y ? 1 : 0;
  const [s, t] = [`${typeof x} ${x}`, `${typeof y} ${y}`];
  return s < t ? -1 : s > t ? 1 : 0;
}

/** The first expected row without a partner, where two bags of rows differ; null where they are the same. */
export function bagDifference(expected: readonly Row[], got: readonly Row[]): Difference | null {
  const [left, right] = [[...expected].sort(compareRows), [...got].sort(compareRows)];
  if (left.length === right.length && left.every((row, i) => equalRows(row, right[i] as Row))) return null;
  const unused = [...got];
  for (const [row, wanted] of expected.entries()) {
    const partner = unused.findIndex((candidate) => equalRows(wanted, candidate));
    if (partner < 0) return { row, expected: wanted, got: null };
    unused.splice(partner, 1);
  }
  return unused.length === 0 ? null : { row: expected.length, expected: null, got: unused[0] as Row };
}

/** The first difference from expected rows in blocks: the blocks come in order, each as a bag. */
export function blocksDifference(blocks: readonly (readonly Row[])[], got: readonly Row[]): Difference | null {
  let start = 0;
  for (const block of blocks) {
    const found = bagDifference(block, got.slice(start, start + block.length));
    if (found !== null) return { ...found, row: start + found.row, got: found.got ?? got[start + found.row] ?? null };
    start += block.length;
  }
  return got.length > start ? { row: start, expected: null, got: got[start] as Row } : null;
}

/**
 * Splits a sorted result into its blocks of ties, by comparing it with the results over the same rows stored in other
 * orders: what ties comes out in another order too. Null where the results are not the same rows at all: then the
 * query has no one answer (a LIMIT that cuts through a tie).
 */
export function tieBlocks(rows: readonly Row[], others: readonly (readonly Row[])[]): Row[][] | null {
  if (others.some((other) => other.length !== rows.length)) return null;
  const blocks: Row[][] = [];
  let start = 0;
  for (let end = 1; end <= rows.length; end++) {
    const block = rows.slice(start, end);
    if (others.some((other) => bagDifference(block, other.slice(start, end)) !== null)) continue;
    blocks.push(block);
    start = end;
  }
  return start === rows.length ? blocks : null;
}

/** Whether the rows are the expected ones with their columns in another order. */
export function isColumnPermutation(expected: readonly Row[], got: readonly Row[]): boolean {
  const sorted = (rows: readonly Row[]) => rows.map((row) => [...row].sort(compareValues));
  return bagDifference(sorted(expected), sorted(got)) === null;
}

/** A value for people and for JSON. */
export function shownValue(value: Value): null | boolean | number | string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
