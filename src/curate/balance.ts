/**
 * Evens out groups of rows that are of very different size, by leaving rows of the larger ones out.
 */

/**
 * Returns how many rows each group keeps. The smallest keeps all; of n rows in a group and m in the smallest
 * m (n / m)^(1 / temperature) are kept, so that 1 changes nothing, and a large temperature makes all groups equal.
 * Shapes: `sizes` are positive; so is what is returned for each.
 * Source: temperature sampling over data sources as in Arivazhagan et al. 2019, arXiv:1907.05019, section 4.2; deviates:
 * nothing is repeated, so that shares are reached by leaving out.
 */
export function balancedSizes(sizes: readonly number[], temperature: number): number[] {
  const smallest = Math.min(...sizes);
  return sizes.map((size) =>
    Math.min(size, Math.max(1, Math.round(smallest * (size / smallest) ** (1 / temperature)))),
  );
}

/** Keeps of each group its first rows, as many as `balancedSizes` says. Shapes: `groupOf` names the group of each row. */
export function balanced(
  rows: Uint32Array,
  groupOf: (row: number) => number,
  temperature: number,
): { kept: Uint32Array; refused: Uint32Array } {
  if (temperature === 1 || rows.length === 0) return { kept: rows, refused: new Uint32Array() };
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(groupOf(row), (counts.get(groupOf(row)) ?? 0) + 1);
  const groups = [...counts.keys()];
  const left = new Map(balancedSizes([...counts.values()], temperature).map((size, i) => [groups[i] as number, size]));
  const isKept = Uint8Array.from(rows, (row) => {
    const room = left.get(groupOf(row)) ?? 0;
    left.set(groupOf(row), room - 1);
    return Number(room > 0);
  });
  return { kept: rows.filter((_, i) => isKept[i] === 1), refused: rows.filter((_, i) => isKept[i] === 0) };
}
