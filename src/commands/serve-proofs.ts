/**
 * The proofs of what a running server serves: an adapter that another process serves now, after a crash or a pause, answers
 * nobody until it has passed the canary again; one whose process was replaced answers on, until it fails. One that fails is tried
 * again, ever more rarely.
 */
import { Failure, Refusal } from "../foundation/errors.ts";
import { duration, warn } from "../foundation/progress.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { adapterTries, type RunningServer } from "../serve/index.ts";
import { readAdapterManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import { proveServed } from "./live-adapter.ts";

const LOST_LOOK_MS = 2000;

/** Says which adapters answer nobody yet, where there are any. */
export function tellPending({ url, idOf, proofs }: RunningServer, context: Context): void {
  const pending = proofs.pending();
  if (pending.length === 0) return;
  warn(`${idOf(null)} answers at ${url}; ${pending.join(", ")} once the canary has proven it.`, context);
}

/** Returns a look at the server, which loads again what it has lost and proves what is to be proven. */
export function proving(
  server: RunningServer,
  asked: { base: BaseManifest; target: string; canary: boolean },
  context: Context,
): () => Promise<void> {
  const tries = adapterTries(context.clock);
  const seekLost = seekingLost(server, context);
  return async () => {
    await seekLost();
    const pending = new Set(server.proofs.pending());
    const doubted = new Set(server.proofs.doubted());
    const adapters = server.models.flatMap(({ id, adapterHash }) =>
      adapterHash !== null && (pending.has(id) || doubted.has(id)) ? [{ id, adapterHash }] : [],
    );
    const due = adapters.filter(({ adapterHash }) => tries.heldBack(adapterHash) === null);
    if (due.some(({ id }) => pending.has(id))) tellPending(server, context);
    for (const { id, adapterHash } of due) {
      try {
        await server.restore(id);
        const adapter = await readAdapterManifest(context.home, adapterHash);
        await proveServed(server, { ...asked, adapter }, context);
        tries.served(adapterHash);
        warn(pending.has(id) ? `${id} answers again.` : `${id} is proven at the process that serves it now.`, context);
      } catch (error) {
        if (context.signal.aborted || !(error instanceof Refusal || error instanceof Failure)) throw error;
        server.proofs.failed(id, error.message);
        const again = duration(tries.failed(adapterHash, error));
        warn(`Warning: ${id} does not answer: ${error.message} It is tried again in ${again}.`, context);
      }
    }
  };
}

/** A server that is not ours may be started again, or be told by others to unload what is served here. */
function seekingLost(server: RunningServer, { clock, ...context }: Context): () => Promise<void> {
  let dueMs = 0;
  return async () => {
    const nowMs = clock().getTime();
    if (nowMs < dueMs) return;
    dueMs = nowMs + LOST_LOOK_MS;
    const lost = await server.lost();
    if (lost.length > 0) warn(`The server has lost ${lost.join(", ")}.`, context);
  };
}
