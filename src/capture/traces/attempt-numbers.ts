/**
 * Numbers the tries at each item of a file, where nothing else tells them apart.
 */

/** Returns a function that gives the number of the next try at an item, from 1. */
export function attemptNumbers(): (item: string) => number {
  const attempts = new Map<string, number>();
  return (item) => {
    const attempt = (attempts.get(item) ?? 0) + 1;
    attempts.set(item, attempt);
    return attempt;
  };
}
