/**
 * A target that can give its memory back for a while and take it again: answers that run are finished first, those that are
 * asked for meanwhile fail at once, and whoever asks is told to come back.
 */
import { Failure } from "../foundation/errors.ts";
import type { Target } from "./target.ts";

export interface PausableTarget extends Target {
  /** Ends the target once it answers nothing any more. Resolves when its memory is free. */
  pause(): Promise<void>;
  /** Starts it again. */
  resume(): Promise<void>;
}

/** Starts a target by `start`, which is called again after each pause. */
export async function startPausable(start: () => Promise<Target>): Promise<PausableTarget> {
  let target: Target | null = await start();
  let threads: number | null = null;
  const answers = openAnswers();
  let before = { batches: 0, tokens: 0 };
  const { contextTokens } = target;

  function awake(): Target {
    if (target !== null) return target;
    const message = "The server gave its memory to a training and comes back when that is done.";
    throw new Failure({ boundary: "endpoint", code: "SERVER_PAUSED", message });
  }

  function evaluated() {
    const { batches = 0, tokens = 0 } = target?.evaluated() ?? {};
    return { batches: before.batches + batches, tokens: before.tokens + tokens };
  }

  return {
    contextTokens,
    async *generate(request) {
      const now = awake();
      const leave = answers.enter();
      try {
        yield* now.generate(request);
      } finally {
        leave();
      }
    },
    async score(request) {
      const now = awake();
      const leave = answers.enter();
      return now.score(request).finally(leave);
    },
    evaluated,
    setThreads(count) {
      threads = count;
      target?.setThreads(count);
    },
    async pause() {
      if (target === null) return;
      before = evaluated();
      const ending = target;
      target = null;
      await answers.untilNone();
      await ending.close();
    },
    async resume() {
      if (target !== null) return;
      target = await start();
      if (threads !== null) target.setThreads(threads);
    },
    close: async () => target?.close(),
  };
}

/** Counts what runs. */
function openAnswers() {
  let running = 0;
  let idle = () => {};
  return {
    enter(): () => void {
      running++;
      return () => {
        running--;
        if (running === 0) idle();
      };
    },
    untilNone: () =>
      new Promise<void>((resolve) => {
        idle = resolve;
        if (running === 0) resolve();
      }),
  };
}
