/**
 * Places for work that keep a memory of what was last worked on in them. Whoever asks gets the free place that
 * remembers most of the same beginning, or waits its turn.
 */

export interface Slot<T> {
  place: T;
  release(): void;
}

export interface Slots<T> {
  /** Throws: the signal's reason where it is aborted while waiting. */
  take(ids: readonly number[], signal: AbortSignal): Promise<Slot<T>>;
}

interface Waiting<T> {
  ids: readonly number[];
  give(slot: Slot<T>): void;
}

/**
 * Makes a pool of places.
 * Shapes: `remembered` returns the ids that a place still holds.
 */
export function createSlots<T>(places: readonly T[], remembered: (place: T) => readonly number[]): Slots<T> {
  // Kept in their order, so that among equals the first place is taken and the work stays in neighbouring ones.
  const free = places.map((place, index) => ({ place, index }));
  const queue: Waiting<T>[] = [];

  function giveBest(ids: readonly number[]): Slot<T> {
    const lengths = free.map(({ place }) => commonLength(remembered(place), ids));
    const [taken] = free.splice(lengths.indexOf(Math.max(...lengths)), 1) as [(typeof free)[0]];
    let isReleased = false;
    return {
      place: taken.place,
      release() {
        if (isReleased) return;
        isReleased = true;
        free.push(taken);
        free.sort((x, y) => x.index - y.index);
        const next = queue.shift();
        next?.give(giveBest(next.ids));
      },
    };
  }

  return {
    take(ids, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (free.length > 0) return Promise.resolve(giveBest(ids));
      return new Promise((resolve, reject) => {
        const waiting: Waiting<T> = {
          ids,
          give(slot) {
            signal.removeEventListener("abort", leave);
            resolve(slot);
          },
        };
        function leave() {
          queue.splice(queue.indexOf(waiting), 1);
          reject(signal.reason);
        }
        queue.push(waiting);
        signal.addEventListener("abort", leave, { once: true });
      });
    },
  };
}

function commonLength(one: readonly number[], other: readonly number[]): number {
  const limit = Math.min(one.length, other.length);
  for (let i = 0; i < limit; i++) if (one[i] !== other[i]) return i;
  return limit;
}
