/**
 * Room for a training: a server of this home gives its memory back while it trains, and takes it again afterwards, also where
 * this process is killed (docs/decisions/0024-servers-and-training.md). A server that is not ours is never touched.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Failure, Refusal } from "../foundation/errors.ts";
import { portOwner } from "../foundation/port-owner.ts";
import { warn } from "../foundation/progress.ts";
import { holdPause, listServers, type ServerNote } from "../store/server-notes.ts";
import type { Context } from "./command.ts";

const POLL_MS = 100;
/** Answers that run are finished first. */
const PAUSE_TIMEOUT_MS = 120_000;

export interface Room {
  /** Whether servers of this home make room. */
  pausesServers: boolean;
  /** A server that the user named for the models, if any. */
  attached: string | null;
}

/**
 * Does `work` while the servers of this home are paused.
 * Throws: `SERVER_NOT_OURS` with its process and the choices; `LOCKED`; a failure `SERVER_NOT_PAUSED`.
 */
export async function withTrainingRoom<T>(room: Room, context: Context, work: () => Promise<T>): Promise<T> {
  if (!room.pausesServers) return work();
  refuseAttached(room.attached);
  const { home } = context;
  const releases: (() => void)[] = [];
  try {
    for (const server of await listServers(home)) {
      releases.push(holdPause(home, server.pid));
      warn(`The server at ${server.url} (process ${server.pid}) makes room for the training.`, context);
      await untilPaused(server, context);
    }
    return await work();
  } finally {
    for (const release of releases) release();
  }
}

async function untilPaused({ pid, url }: ServerNote, { home, signal }: Context): Promise<void> {
  const timeout = AbortSignal.timeout(PAUSE_TIMEOUT_MS);
  for (;;) {
    signal.throwIfAborted();
    const now = (await listServers(home)).find((server) => server.pid === pid);
    if (now === undefined || now.state === "paused") return;
    if (timeout.aborted) {
      const message = `The server at ${url} (process ${pid}) did not make room in ${PAUSE_TIMEOUT_MS / 1000} s; end it, and give the same command again.`;
      throw new Failure({ boundary: "endpoint", code: "SERVER_NOT_PAUSED", message });
    }
    await sleep(POLL_MS);
  }
}

function refuseAttached(url: string | null): void {
  const owner = url === null ? null : portOwner(url);
  if (owner === null) return;
  throw new Refusal({
    code: "SERVER_NOT_OURS",
    message: "A server that was not started here holds memory that the training may need; it is not stopped.",
    expected: "no other server on this machine while it trains",
    got: owner.pid === null ? owner.command : `process ${owner.pid}: ${owner.command.slice(0, 200)}`,
    where: url ?? "",
    fix: `end ${owner.pid === null ? "what listens there" : `process ${owner.pid}`} and give the same command again, which goes on here; or train beside it: --no-pause-servers`,
  });
}
