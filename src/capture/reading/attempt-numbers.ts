/**
 * Numbers the tries at each item of a file, where nothing else tells them apart.
 */
import { textNumbers } from "../../foundation/text-numbers.ts";

/** Returns a function that gives the number of the next try at an item, from 1. */
export function attemptNumbers(): (item: string) => number {
  const attempts = textNumbers();
  return (item) => {
    const attempt = (attempts.get(item) ?? 0) + 1;
    attempts.set(item, attempt);
    return attempt;
  };
}
