/**
 * Counts the records that an import could not use, by reason, with the places of the first of each.
 */
export interface RejectionCount {
  reason: string;
  count: number;
  /** Where the first of them are. */
  where: string[];
}

export interface Rejections {
  add(where: string, reason: string): void;
  all(): RejectionCount[];
  /** Those that were counted since this was asked last. */
  sinceLast(): RejectionCount[];
}

const SHOWN_PLACES = 5;

/** Makes an empty count. */
export function countRejections(): Rejections {
  const all = new Map<string, RejectionCount>();
  let recent = new Map<string, RejectionCount>();
  return {
    add(where, reason) {
      for (const counts of [all, recent]) {
        const count = counts.get(reason) ?? { reason, count: 0, where: [] };
        counts.set(reason, count);
        count.count++;
        if (count.where.length < SHOWN_PLACES) count.where.push(where);
      }
    },
    all: () => [...all.values()],
    sinceLast() {
      const counts = [...recent.values()];
      recent = new Map();
      return counts;
    },
  };
}
