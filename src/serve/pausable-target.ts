/**
 * A target that can give its memory back for a while and take it again, and whose models can change. Answers that run are
 * finished first, those that are asked for during a pause fail at once, and whoever asks is told to come back. A target that
 * knows only the models it was started with is replaced by another beside it, which takes twice the memory meanwhile.
 */
import pLimit from "p-limit";
import type { ServedModel } from "./generation.ts";
import { type OpenAnswers, openAnswers } from "./open-answers.ts";
import { serverPaused } from "./server-paused.ts";
import type { Target } from "./target.ts";

export interface PausableTarget extends Required<Target> {
  /** Ends the target once it answers nothing any more. Resolves when its memory is free. */
  pause(): Promise<void>;
  /** Starts it again. */
  resume(): Promise<void>;
}

interface Running {
  target: Target;
  answers: OpenAnswers;
  /** Set once it is being ended. */
  ending: Promise<void> | null;
}

/** Starts a target by `start`, which is called again after each pause, with the models of then. */
export async function startPausable(
  first: readonly ServedModel[],
  start: (models: ServedModel[]) => Promise<Target>,
): Promise<PausableTarget> {
  const oneByOne = pLimit(1);
  const models = new Map(first.map((model) => [model.id, model]));
  const living = new Set<Running>();
  let threads: number | null = null;
  const before = { batches: 0, tokens: 0 };
  let current: Running | null = await begin();
  const { contextTokens } = current.target;

  async function begin(): Promise<Running> {
    const running: Running = { target: await start([...models.values()]), answers: openAnswers(), ending: null };
    if (threads !== null) running.target.setThreads(threads);
    living.add(running);
    return running;
  }

  function end(running: Running): Promise<void> {
    running.ending ??= ended(running);
    return running.ending;
  }

  async function ended(running: Running): Promise<void> {
    await running.answers.untilNone();
    const { batches, tokens } = running.target.evaluated();
    before.batches += batches;
    before.tokens += tokens;
    living.delete(running);
    await running.target.close();
  }

  function awake(): { now: Target; leave(): void } {
    if (current === null) throw serverPaused();
    return { now: current.target, leave: current.answers.enter() };
  }

  return {
    contextTokens,
    async *generate(request) {
      const { now, leave } = awake();
      try {
        yield* now.generate(request);
      } finally {
        leave();
      }
    },
    async score(request) {
      const { now, leave } = awake();
      return now.score(request).finally(leave);
    },
    evaluated() {
      const counts = [before, ...[...living].map(({ target }) => target.evaluated())];
      const sum = (key: "batches" | "tokens") => counts.reduce((total, count) => total + count[key], 0);
      return { batches: sum("batches"), tokens: sum("tokens") };
    },
    setThreads(count) {
      threads = count;
      for (const { target } of living) target.setThreads(count);
    },
    load: (model) =>
      oneByOne(async () => {
        models.set(model.id, model);
        try {
          if (current === null) return; // it is there once the target is
          if (current.target.load !== undefined) return await current.target.load(model);
          const replaced = current;
          current = await begin();
          void end(replaced).catch(() => {}); // it answers nobody any more
        } catch (error) {
          models.delete(model.id);
          throw error;
        }
      }),
    unload: (id) =>
      oneByOne(async () => {
        models.delete(id);
        await current?.target.unload?.(id);
      }),
    pause: () =>
      oneByOne(async () => {
        current = null;
        await Promise.all([...living].map(end));
      }),
    resume: () =>
      oneByOne(async () => {
        current ??= await begin();
      }),
    close: () =>
      oneByOne(async () => {
        current = null;
        await Promise.all([...living].map(({ target }) => target.close()));
        living.clear();
      }),
  };
}
