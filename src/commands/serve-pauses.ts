/**
 * A server that runs until it is told to end: listed in its home, and out of the way while something there wants its memory.
 */
import { warn } from "../foundation/progress.ts";
import type { RunningServer } from "../serve/index.ts";
import { forgetServer, isPauseHeld, noteServer, type ServerNote } from "../store/server-notes.ts";
import type { Context } from "./command.ts";

const LOOK_MS = 250;

/** Lists the server and follows who wants its memory, until the returned function has ended that. */
export async function followPauses(
  server: RunningServer,
  { base, target }: { base: string; target: string },
  context: Context,
): Promise<() => Promise<void>> {
  const { home } = context;
  const adapters = server.models.flatMap(({ id, adapterHash }) => (adapterHash === null ? [] : [id]));
  const note = (state: ServerNote["state"]) => noteServer(home, { url: server.url, base, adapters, target, state });
  let isPaused = false;
  let turn = Promise.resolve();

  async function follow(): Promise<void> {
    const isHeld = isPauseHeld(home);
    if (isHeld === isPaused) return;
    if (isHeld) {
      await server.pause();
      isPaused = true;
      await note("paused");
      warn("Paused: a training has its memory.", context);
      return;
    }
    // Told first: whoever wants the memory in this moment must not take it for free.
    await note("serving");
    await server.resume().catch(async (error) => {
      await note("paused");
      throw error;
    });
    isPaused = false;
    warn("Serving again.", context);
  }

  await note("serving");
  // A start that fails is tried again: what holds the memory may need a while to let go.
  const timer = setInterval(() => {
    turn = turn.then(follow).catch((error: Error) => warn(`Warning: ${error.message}`, context));
  }, LOOK_MS);
  return async () => {
    clearInterval(timer);
    await turn;
    await forgetServer(home);
  };
}
