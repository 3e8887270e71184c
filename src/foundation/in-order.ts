/**
 * One thing after the other, each only when the one before has ended.
 */

/** Returns what `work` gives for each, in order. */
export async function inOrder<T, R>(all: readonly T[], work: (one: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const [index, one] of all.entries()) results.push(await work(one, index));
  return results;
}
