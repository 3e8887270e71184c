/**
 * A recording that runs: the recorder with the server before it, and a look now and then at which runs are idle and to be sealed.
 */
import type { RecordingOptions, SealedRecording } from "./recorded-run.ts";
import { openRecorder } from "./recorder.ts";
import { serveRecorder } from "./serve-recorder.ts";
import type { VerifyCommand } from "./verify-command.ts";

export interface RecordOptions extends RecordingOptions {
  /** With `/v1` at its end, or where its API begins. */
  upstream: string;
  host: string;
  port: number;
  durability: "kernel" | "fsync";
  /** After so long without a call a run is sealed. */
  idleMs: number;
  /** Judges the attempts of a run that is to be sealed; null where there is no such command. */
  verify: VerifyCommand | null;
  /** Longest wait for an answer to begin, and between its parts. */
  timeoutMs: number;
  onSealed(sealed: SealedRecording): void;
  onBug(error: unknown): void;
}

export interface RunningProxy {
  /** Without `/v1`: a place may come before it. */
  url: string;
  /** Lets running calls finish for a while and closes the logs; runs that are not sealed can be gone on with. */
  close(): Promise<void>;
}

const MOST_IDLE_CHECK_MS = 30_000;

/** Starts to record. Throws: `PORT_IN_USE`, `CANNOT_LISTEN`. */
export async function startRecording(options: RecordOptions): Promise<RunningProxy> {
  const { idleMs, onSealed, onBug } = options;
  const recorder = openRecorder(options);
  const server = await serveRecorder(recorder, options);
  let isOver = false;
  const look = () =>
    recorder.finishIdle(idleMs, onSealed).catch((error) => {
      if (!isOver) onBug(error); // what was under way then stays as it is
    });
  const first = look();
  const timer = setInterval(look, Math.min(idleMs / 4, MOST_IDLE_CHECK_MS));
  return {
    url: server.url,
    async close() {
      isOver = true;
      clearInterval(timer);
      await server.close();
      await first;
      await recorder.close();
    },
  };
}
