/**
 * Counts what is being answered, for whoever has to wait until nothing is.
 */
export interface OpenAnswers {
  /** Counts one more, until the returned function is called; a second call of it changes nothing. */
  enter(): () => void;
  isNone(): boolean;
  /** Resolves when nothing is being answered: at once, or as soon as the last is done. */
  untilNone(): Promise<void>;
}

/** Makes a count that is at nothing. */
export function openAnswers(): OpenAnswers {
  let running = 0;
  let waiting: (() => void)[] = [];
  return {
    enter() {
      running++;
      let isDone = false;
      return () => {
        if (isDone) return;
        isDone = true;
        running--;
        if (running > 0) return;
        const goers = waiting;
        waiting = [];
        for (const go of goers) go();
      };
    },
    isNone: () => running === 0,
    untilNone: () =>
      new Promise<void>((resolve) => {
        if (running === 0) resolve();
        else waiting.push(resolve);
      }),
  };
}
