/** The middle one of some numbers, or the mean of the two in the middle. */
export function median(numbers) {
  const sorted = numbers.toSorted((x, y) => x - y);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A number, or the nearer end where it lies outside. */
export function clamp(number, low, high) {
  return Math.min(Math.max(number, low), high);
}
