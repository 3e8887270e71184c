/**
 * A server that runs until it is told to end: listed in its home, and out of the way while something there wants its memory.
 */
import { warn } from "../foundation/progress.ts";
import type { RunningServer } from "../serve/index.ts";
import { forgetServer, isPauseHeld, noteServer, type ServerNote } from "../store/server-notes.ts";
import type { Context } from "./command.ts";

export interface Pauses {
  /** Follows who wants the memory now. */
  look(): Promise<void>;
  isPaused(): boolean;
  /** Takes the server off the list. */
  end(): Promise<void>;
}

/** Lists the server with what it serves. */
export async function listedForPauses(
  server: RunningServer,
  { base, target }: { base: string; target: string },
  context: Context,
): Promise<Pauses> {
  const { home } = context;
  let isPaused = false;
  let noted = "";

  const adaptersNow = () => server.models.flatMap(({ id, adapterHash }) => (adapterHash === null ? [] : [id]));

  async function note(state: ServerNote["state"]): Promise<void> {
    const adapters = adaptersNow();
    await noteServer(home, { url: server.url, base, adapters, target, state });
    noted = adapters.join();
  }

  async function look(): Promise<void> {
    const isHeld = isPauseHeld(home);
    if (isHeld === isPaused) {
      if (adaptersNow().join() !== noted) await note(isPaused ? "paused" : "serving");
      return;
    }
    if (isHeld) {
      await server.pause();
      isPaused = true;
      await note("paused");
      warn("Paused: a training has its memory.", context);
      return;
    }
    // Told first: whoever wants the memory in this moment must not take it for free.
    await note("serving");
    // A start that fails is tried again: what holds the memory may need a while to let go.
    await server.resume().catch(async (error) => {
      await note("paused");
      throw error;
    });
    isPaused = false;
    warn("Serving again.", context);
  }

  await note("serving");
  return { look, isPaused: () => isPaused, end: () => forgetServer(home) };
}
