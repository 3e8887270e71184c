/**
 * A command of the user's own that says what came of an attempt: by its exit code, or more exactly by a JSON object on the
 * last line of its output (`value`, `confidence`, `failureMode`).
 */
import { z } from "zod";
import { Failure } from "../foundation/errors.ts";
import { hashText, shortHash } from "../foundation/hashing.ts";
import { type AttemptId, attemptParts } from "../records/ids.ts";
import { signalOf, type Verdict } from "../records/verdict.ts";
import { objectOf } from "./event-stream.ts";
import { runUserCommand } from "./user-command.ts";

export interface VerifyCommand {
  /** For the shell. */
  command: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The code of the failure of a command that the shell does not find, or may not run. */
export const NOT_STARTED = "VERIFIER_NOT_STARTED";

/** The verifier's id in what the command says; its version is the command's own. */
export const COMMAND_VERIFIER = "verify-cmd";

const NOTHING: readonly unknown[] = [null, ""];

/** What is left empty counts as left out. */
function optional<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (NOTHING.includes(value) ? undefined : value), schema);
}

const saidSchema = z.object({
  value: z.number().min(0).max(1),
  confidence: optional(z.number().min(0).max(1).default(1)),
  failureMode: optional(z.string().nullable().default(null)),
});

export interface VerifySetting {
  /** What the command reads: the attempt's last answer. */
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
}

/**
 * Runs the command for an attempt, which it finds in `TRACEMILL_RUN`, `TRACEMILL_ITEM` (without the skill) and `TRACEMILL_ATTEMPT`.
 * Throws: a Failure of the boundary `verifier` where it cannot be run, does not end in time, is stopped, or says a value that is none; that is no verdict.
 */
export async function runVerifyCommand(
  { command, timeoutMs, signal }: VerifyCommand,
  attempt: AttemptId,
  { input = "", cwd = process.cwd(), env = {} }: VerifySetting = {},
): Promise<Verdict> {
  if (signal.aborted) throw stopped();
  const { run, item, n } = attemptParts(attempt);
  const named = { TRACEMILL_RUN: run, TRACEMILL_ITEM: item.slice(item.indexOf(":") + 1), TRACEMILL_ATTEMPT: String(n) };
  const given = { command, cwd, env: { ...named, ...env }, input, timeoutMs, signal };
  const { exitCode, stdout, stderr, isTimedOut } = await runUserCommand(given);
  if (signal.aborted) throw stopped();
  const isLost = exitCode === 126 || exitCode === 127;
  if (exitCode === null || isTimedOut || isLost) {
    const reason = isTimedOut ? `it took longer than ${timeoutMs} ms` : `it ended with ${exitCode ?? "a signal"}`;
    const message = `The verifier did not run: ${reason}: ${stderr.trim()}`;
    throw verifierFailed(message, { code: isLost && !isTimedOut ? NOT_STARTED : "VERIFIER_FAILED" });
  }
  const said = lastLine(stdout) ?? { value: exitCode === 0 ? 1 : 0, confidence: 1, failureMode: null };
  const passed = said.value === 1;
  return {
    ...{ value: said.value, confidence: said.confidence, passed },
    failureMode: passed ? null : (said.failureMode ?? "failed"),
    signalType: signalOf(said.value),
    verifier: { id: COMMAND_VERIFIER, version: shortHash(hashText(command)) },
    before: null,
    evidence: { command, exitCode, stdout, stderr },
    flags: [],
  };
}

/** The verdict on the last line; null where there is none, as the exit code then holds. Throws: where it is one that cannot be read. */
function lastLine(stdout: string): z.infer<typeof saidSchema> | null {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  const said = objectOf(line);
  if (said?.value === undefined) return null;
  const read = saidSchema.safeParse(said);
  if (read.success) return read.data;
  throw verifierFailed(`The verifier's last line is no verdict: ${z.prettifyError(read.error)}: ${line}`, {
    cause: read.error,
  });
}

function stopped(): Failure {
  return verifierFailed("The verifier was stopped.");
}

function verifierFailed(
  message: string,
  { code = "VERIFIER_FAILED", cause }: { code?: string; cause?: unknown } = {},
): Failure {
  return new Failure({ boundary: "verifier", code, message, cause });
}
