/**
 * Answers that bear each other's company, and such that have to be given alone: one of these waits until all that were let in
 * before are done, and all that come later wait for it. First come, first served. Does not know who answers.
 */
export interface Company {
  /**
   * Resolves once this one may be answered, with the function that says that it is done.
   * Throws: the signal's reason, where it is aborted before.
   */
  enter(isAlone: boolean, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  isAlone: boolean;
  go(): void;
}

/** Makes a company that nobody is in. */
export function createCompany(): Company {
  let waiting: Waiting[] = [];
  let inside = 0;
  let isTaken = false;

  function letIn(): void {
    for (let first = waiting[0]; first !== undefined && !isTaken; first = waiting[0]) {
      if (first.isAlone && inside > 0) return;
      waiting.shift();
      inside += 1;
      isTaken = first.isAlone;
      first.go();
    }
  }

  function leave(): void {
    inside -= 1;
    isTaken = false; // who was alone was the only one
    letIn();
  }

  return {
    async enter(isAlone, signal) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const giveUp = () => {
          waiting = waiting.filter((other) => other !== one);
          letIn(); // whom it kept waiting
          reject(signal.reason);
        };
        const one: Waiting = {
          isAlone,
          go() {
            signal.removeEventListener("abort", giveUp);
            resolve();
          },
        };
        signal.addEventListener("abort", giveUp, { once: true });
        waiting.push(one);
        letIn();
      });
      return leave;
    },
  };
}
