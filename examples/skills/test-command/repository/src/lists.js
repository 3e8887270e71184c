/** The mean of some numbers. */
export function average(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** A list in pieces of one size; the last one may be shorter. */
export function chunks(list, size) {
  const pieces = [];
  for (let start = 0; start < list.length; start += size) pieces.push(list.slice(start, start + size));
  return pieces;
}
