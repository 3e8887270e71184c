/**
 * Grouping that keeps the order of what is grouped. `Map.groupBy` came with Node 21, and the published package runs
 * on Node 20.
 */

/** Returns the items by their key; keys and items keep the order in which they were met. */
export function groupBy<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
