/**
 * Turns for works that go on side by side: whenever a place is free, the work that has had the fewest turns gets it. So none
 * runs ahead, and whatever changes with time meets all of them alike.
 */

/** Waits for a turn; what it gives ends that turn. */
export type Lane = () => Promise<() => void>;

/** Returns what makes a lane for each work, all over the same number of places. */
export function fairTurns(places: number): () => Lane {
  const waiting: { lane: number; start: () => void }[] = [];
  const turns: number[] = [];
  let free = places;

  function serve(): void {
    while (free > 0 && waiting.length > 0) {
      const fewest = Math.min(...waiting.map(({ lane }) => turns[lane] as number));
      const next = waiting.findIndex(({ lane }) => turns[lane] === fewest);
      const [{ lane, start }] = waiting.splice(next, 1) as [(typeof waiting)[number]];
      free -= 1;
      turns[lane] = (turns[lane] as number) + 1;
      start();
    }
  }

  function leave(): void {
    free += 1;
    serve();
  }

  return () => {
    const lane = turns.push(0) - 1;
    return () =>
      new Promise((resolve) => {
        waiting.push({ lane, start: () => resolve(leave) });
        // Not at once: works that ask in the same moment are all seen before a place is given.
        queueMicrotask(serve);
      });
  };
}
