/**
 * A skill's program over all of its runs: it starts at the first request, and again at the one after it ended.
 */
import type { Method, Params, Result } from "./executable-protocol.ts";
import { type Program, type Session, startSession } from "./session.ts";

export interface Conversation {
  /** Throws: what a session throws. A request is never sent twice: an action may have been done when the program ended. */
  ask<M extends Method>(method: M, params: Params[M]): Promise<Result<M>>;
  /** The number of the run that the next request goes to: what the program held in another one is lost. */
  generation(): number;
  /** Ends the program; the next request starts it again. */
  close(): Promise<void>;
}

/** Makes the conversation; the program is started by its first request. */
export function startConversation(program: Program): Conversation {
  let session: Session | null = null;
  let generation = 0;
  /** Those whose program has not ended, the present one among them. */
  const living = new Set<Session>();

  function begin(): Session {
    const begun = startSession(program, () => living.delete(begun));
    living.add(begun);
    generation += 1;
    return begun;
  }

  return {
    ask(method, params) {
      if (session === null || session.isOver()) session = begin();
      return session.ask(method, params);
    },
    generation: () => (session === null || session.isOver() ? generation + 1 : generation),
    async close() {
      await Promise.all([...living].map((one) => one.close()));
    },
  };
}
