/**
 * Steps that are taken together: who asks for one waits until all of the turn before are done, and then goes with all
 * others who wait. Left to themselves, answers of llama.cpp's binding fall out of phase and stay so, each alone in its
 * batch; and between turns nothing waits, which is when the binding lets a place be taken back for another prompt.
 * Does not know what a step does.
 */
export interface Turns {
  step<T>(take: () => Promise<T>): Promise<T>;
  /** The same values as the source's; each is one step. */
  each<T>(source: AsyncGenerator<T, unknown>): AsyncGenerator<T>;
}

/** Makes turns that nobody waits for. */
export function createTurns(): Turns {
  let waiting: (() => void)[] = [];
  let underway = 0;
  let isOpening = false;

  /** A little later, so that whoever has just taken a step is there again. */
  function openSoon(): void {
    if (isOpening || underway > 0) return;
    isOpening = true;
    setImmediate(() => {
      isOpening = false;
      const goers = waiting;
      waiting = [];
      underway = goers.length;
      for (const go of goers) go();
    });
  }

  async function step<T>(take: () => Promise<T>): Promise<T> {
    await new Promise<void>((go) => {
      waiting.push(go);
      openSoon();
    });
    try {
      return await take();
    } finally {
      underway -= 1;
      if (waiting.length > 0) openSoon();
    }
  }

  return {
    step,
    async *each(source) {
      try {
        for (;;) {
          const { value, done } = await step(() => source.next());
          if (done) return;
          yield value;
        }
      } finally {
        await source.return(undefined);
      }
    },
  };
}
