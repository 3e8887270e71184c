/** Sums and means of numbers, in the order given: the same numbers give the same bits. */

/** The sum of the numbers, or of what `of` says of each row; 0 of nothing. */
export function sumOf(numbers: Iterable<number>): number;
export function sumOf<Row>(rows: Iterable<Row>, of: (row: Row, index: number) => number): number;
export function sumOf<Row>(rows: Iterable<Row>, of = (row: Row, _index: number) => row as number): number {
  let total = 0;
  let index = 0;
  for (const row of rows) total += of(row, index++);
  return total;
}

/** The mean of the numbers, or of what `of` says of each row; NaN of nothing. */
export function meanOf(numbers: readonly number[]): number;
export function meanOf<Row>(rows: readonly Row[], of: (row: Row, index: number) => number): number;
export function meanOf<Row>(rows: readonly Row[], of = (row: Row, _index: number) => row as number): number {
  return sumOf(rows, of) / rows.length;
}

/** The mean of the numbers; null of nothing. */
export function meanOrNull(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : meanOf(numbers);
}
