/**
 * Recorded runs that nobody records any more, as the process that did has gone: sealed on demand or after a time of quiet.
 */
import { Refusal } from "../foundation/errors.ts";
import type { RunId } from "../records/ids.ts";
import { lastEventMs, sealRun } from "../store/runs.ts";
import { openVerifier } from "./attempt-verifier.ts";
import { countsOf } from "./late-verdicts.ts";
import {
  goOn,
  leftRuns,
  type RecordingOptions,
  type SealedRecording,
  sealedOf,
  sealRecording,
} from "./recorded-run.ts";
import type { VerifyCommand } from "./verify-command.ts";

export interface LeftRun extends Pick<RecordingOptions, "home" | "clock"> {
  run: RunId;
  /** Judges the attempts that nobody did before; null where nothing does. */
  verify: VerifyCommand | null;
}

/**
 * Seals a run that is not being recorded any more, also one whose log was ended and never sealed.
 * Throws: `NOT_RECORDED` for a run of tracemill's own, `VERIFIER_NOT_STARTED`, and what opening and sealing throw; where
 * the command cannot be started or the signal is aborted the run stays as it is.
 */
export async function sealLeftRun({ home, clock, run, verify }: LeftRun): Promise<SealedRecording> {
  const left = await goOn({ home, clock }, run).catch((error) => {
    if (error instanceof Refusal && error.code === "RUN_FINISHED") return null;
    throw error;
  });
  if (left === null) {
    const counts = await countsOf(home, run);
    await sealRun(home, run, clock);
    return sealedOf(run, counts);
  }
  try {
    const notVerified = verify === null ? null : await openVerifier(verify, home).finish(left, { mustStart: true });
    return { ...(await sealRecording({ home, clock }, left)), ...(notVerified !== null && { notVerified }) };
  } finally {
    left.log.close();
  }
}

/**
 * Returns a function that seals the runs of a skill which were left when it was called first, each once its log has been quiet
 * for so long. Those that are `open` here are left alone, and those that another process has are tried again later.
 */
export function leftRunsSealer(
  options: Pick<RecordingOptions, "home" | "clock" | "skill">,
  seal: (run: RunId) => Promise<SealedRecording>,
): (look: { idleMs: number; open: ReadonlySet<RunId>; onSealed(sealed: SealedRecording): void }) => Promise<void> {
  const { home, clock } = options;
  let listed: Promise<Set<RunId>> | null = null;

  async function sealed(run: RunId): Promise<SealedRecording | "later" | "over"> {
    try {
      return await seal(run);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : "";
      if (code === "RUN_FINISHED") return sealLeftRun({ home, clock, run, verify: null });
      if (code === "LOCKED") return "later";
      if (code === "RUN_SEALED" || code === "CALLS_OPEN") return "over";
      throw error;
    }
  }

  return async ({ idleMs, open, onSealed }) => {
    listed ??= leftRuns(options).then((runs) => new Set(runs));
    const left = await listed;
    for (const run of [...left]) {
      const quietMs = clock().getTime() - (lastEventMs(home, run) ?? Number.POSITIVE_INFINITY);
      if (open.has(run) || quietMs < idleMs || !left.delete(run)) continue;
      const one = await sealed(run);
      if (one === "later") left.add(run);
      else if (one !== "over") onSealed(one);
    }
  };
}
