/**
 * A target that can give its memory back for a while and take it again, and whose models can change. Answers that run are
 * finished first, those that are asked for during a pause fail at once, and whoever asks is told to come back. A target that
 * knows only the models it was started with is replaced by another beside it, which takes twice the memory meanwhile.
 */
import pLimit from "p-limit";
import type { ServedModel } from "./generation.ts";
import { runningTargets } from "./running-targets.ts";
import { serverPaused } from "./server-paused.ts";
import type { Target } from "./target.ts";

export interface PausableTarget extends Required<Omit<Target, "process">> {
  /** Ends the target once it answers nothing any more. Resolves when its memory is free. */
  pause(): Promise<void>;
  /** Starts it again, also where it has ended by itself. */
  resume(): Promise<void>;
  /** Of the process group that answers now, where it is one of its own. */
  pid(): number | null;
  /** Why such a process has ended by itself; null while it runs or is paused. */
  ended(): string | null;
}

/** Starts a target by `start`, which is called again after each pause, with the models of then. */
export async function startPausable(
  first: readonly ServedModel[],
  start: (models: ServedModel[]) => Promise<Target>,
): Promise<PausableTarget> {
  const models = new Map(first.map((model) => [model.id, model]));
  const target = await start([...models.values()]);
  const running = runningTargets();
  running.replace(target);
  const oneByOne = pLimit(1);

  function awake() {
    const entered = running.enter();
    if (entered === null) throw serverPaused();
    return entered;
  }

  async function load(model: ServedModel): Promise<void> {
    const now = running.current();
    models.set(model.id, model);
    try {
      if (now === null) return; // it is there once the target is
      if (now.load !== undefined) await now.load(model);
      else running.replace(await start([...models.values()]));
    } catch (error) {
      models.delete(model.id);
      throw error;
    }
  }

  return {
    ...{ contextTokens: target.contextTokens, pid: running.pid, ended: running.ended },
    ...{ evaluated: running.evaluated, setThreads: running.setThreads },
    async *generate(request) {
      const { target: now, leave } = awake();
      try {
        yield* now.generate(request);
      } finally {
        leave();
      }
    },
    async score(request) {
      const { target: now, leave } = awake();
      return now.score(request).finally(leave);
    },
    load: (model) => oneByOne(() => load(model)),
    unload: (id) =>
      oneByOne(async () => {
        models.delete(id);
        await running.current()?.unload?.(id);
      }),
    pause: () => oneByOne(running.endAll),
    resume: () =>
      oneByOne(async () => {
        if (running.ended() !== null) await running.endDead();
        if (running.current() === null) running.replace(await start([...models.values()]));
      }),
    close: () => oneByOne(running.cutOff),
  };
}
