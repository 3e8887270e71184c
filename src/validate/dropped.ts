/**
 * How many of the items that were looked at may be without a verdict in an arm: above that a failing endpoint would have picked
 * the rest. Of a comparison that ended early those are the items up to its end, not the planned ones.
 */
export const MOST_DROPPED = 0.02;

/** Whether `dropped` of `items` are too many for the rest to stand for all of them. */
export function isTooManyDropped(dropped: number, items: number): boolean {
  return dropped > MOST_DROPPED * items;
}
