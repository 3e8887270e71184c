/**
 * What a server that runs until it is told to end looks after meanwhile: one thing after the other, again and again.
 */
import { warn } from "../foundation/progress.ts";
import type { Context } from "./command.ts";

const LOOK_MS = 250;

/** Looks after all of them until the returned function has ended that. What fails is told once and tried again. */
export function follow(looks: readonly (() => Promise<void>)[], context: Context): () => Promise<void> {
  let turn = Promise.resolve();
  let told = "";
  let isUnderway = false;

  async function lookAll(): Promise<void> {
    isUnderway = true;
    try {
      for (const look of looks) await look();
      told = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== told && !context.signal.aborted) warn(`Warning: ${message}`, context);
      told = message;
    } finally {
      isUnderway = false;
    }
  }

  const timer = setInterval(() => {
    if (!isUnderway) turn = lookAll();
  }, LOOK_MS);
  return async () => {
    clearInterval(timer);
    await turn;
  };
}
