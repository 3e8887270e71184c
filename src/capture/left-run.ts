/**
 * A recorded run that nobody records any more: sealed from outside the proxy that began it.
 */
import { Refusal } from "../foundation/errors.ts";
import type { RunId } from "../records/ids.ts";
import { sealRun } from "../store/run-log.ts";
import { openVerifier } from "./attempt-verifier.ts";
import { countsOf } from "./late-verdicts.ts";
import { goOn, type RecordingOptions, type SealedRecording, sealedOf, sealRecording } from "./recorded-run.ts";
import type { VerifyCommand } from "./verify-command.ts";

export interface LeftRun extends Pick<RecordingOptions, "home" | "clock"> {
  run: RunId;
  /** Judges the attempts that nobody did before; null where nothing does. */
  verify: VerifyCommand | null;
}

/**
 * Seals a run that is not being recorded any more, also one whose log was ended and never sealed.
 * Throws: `NOT_RECORDED` for a run of tracemill's own, and what opening and sealing throw; where the
 * signal is aborted the run stays as it is.
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
    const verifier = verify === null ? null : openVerifier(verify, home);
    await verifier?.recall(left);
    await verifier?.finish(left);
    verify?.signal.throwIfAborted();
  } catch (error) {
    left.log.close();
    throw error;
  }
  return sealRecording({ home, clock }, left);
}
