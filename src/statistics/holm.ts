/**
 * Several tests at once: p-values raised so that the chance of even one false alarm keeps to its rate.
 */

/**
 * Holm's adjusted p-values, in the order given.
 * Source: Holm 1979, Scand J Statist 6:65.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((x, y) => x.p - y.p);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, { p, index }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = largest;
  }
  return adjusted;
}
