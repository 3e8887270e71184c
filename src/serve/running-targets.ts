/**
 * The target that answers now, and those that it has replaced for as long as they still answer. Does not know when one is
 * to be started or ended.
 */
import { sumOf } from "../foundation/sums.ts";
import { type OpenAnswers, openAnswers } from "./open-answers.ts";
import type { Evaluated, Target } from "./target.ts";

interface Running {
  target: Target;
  answers: OpenAnswers;
  /** Set once it is being ended. */
  ending: Promise<void> | null;
}

export interface RunningTargets {
  /** Null during a pause. */
  current(): Target | null;
  /** Counts an answer of the current target, until `leave`; null where there is none. */
  enter(): { target: Target; leave(): void } | null;
  /** The next one answers from now on; the one before ends once it has answered. */
  replace(next: Target): void;
  /** Nobody answers from now on; resolves when all are ended. */
  endAll(): Promise<void>;
  /** The same where the current one's process has ended by itself: until another answers, `ended` still says why. */
  endDead(): Promise<void>;
  /** Of the process group that answers now, where it is one of its own. */
  pid(): number | null;
  /** Why such a process has ended by itself; null while it runs, and where all were ended. */
  ended(): string | null;
  /** Ends them at once. */
  cutOff(): Promise<void>;
  /** Over all that ever ran. */
  evaluated(): Evaluated;
  setThreads(count: number): void;
}

/** Makes the record of a server's targets, with none that answers. */
export function runningTargets(): RunningTargets {
  const living = new Set<Running>();
  const before: Evaluated = { batches: 0, tokens: 0 };
  let current: Running | null = null;
  let died: string | null = null;
  let threads: number | null = null;

  async function ended(running: Running): Promise<void> {
    await running.answers.untilNone();
    const { batches, tokens } = running.target.evaluated();
    before.batches += batches;
    before.tokens += tokens;
    living.delete(running);
    await running.target.close();
  }

  function end(running: Running): Promise<void> {
    running.ending ??= ended(running);
    return running.ending;
  }

  async function endLiving(why: string | null): Promise<void> {
    died = why;
    current = null;
    await Promise.all([...living].map(end));
  }

  const whyEnded = () => current?.target.process?.ended() ?? died;

  return {
    current: () => current?.target ?? null,
    enter: () => (current === null ? null : { target: current.target, leave: current.answers.enter() }),
    replace(target) {
      const replaced = current;
      current = { target, answers: openAnswers(), ending: null };
      living.add(current);
      died = null;
      if (threads !== null) target.setThreads(threads);
      if (replaced !== null) void end(replaced).catch(() => {}); // it answers nobody any more
    },
    endAll: () => endLiving(null),
    endDead: () => endLiving(whyEnded()),
    pid: () => current?.target.process?.pid ?? null,
    ended: whyEnded,
    async cutOff() {
      current = null;
      await Promise.all([...living].map(({ target }) => target.close()));
      living.clear();
    },
    evaluated() {
      const counts = [before, ...[...living].map(({ target }) => target.evaluated())];
      const sum = (key: keyof Evaluated) => sumOf(counts, (count) => count[key]);
      return { batches: sum("batches"), tokens: sum("tokens") };
    },
    setThreads(count) {
      threads = count;
      for (const { target } of living) target.setThreads(count);
    },
  };
}
