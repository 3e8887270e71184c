/**
 * What a command of the user's own says of recorded attempts by their last answers: of one, and of all of a sealed run that no
 * check judged.
 */
import { Failure } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import { type AttemptId, attemptParts, type RunId } from "../records/ids.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Home } from "../store/home.ts";
import { type Lake, withLake } from "../store/lake.ts";
import { readRunLog } from "../store/runs.ts";
import { textOf } from "./conversations.ts";
import { countsOf, type GivenVerdict } from "./late-verdicts.ts";
import type { RunCounts } from "./run-counts.ts";
import { runVerifyCommand, type VerifyCommand } from "./verify-command.ts";

/** What each attempt was answered last, as the run's log has it; none where it was not answered. */
export async function lastAnswers(
  home: Home,
  { run, counts, attempts }: { run: RunId; counts: RunCounts; attempts: readonly AttemptId[] },
): Promise<Map<AttemptId, string>> {
  const waiting = groupBy(attempts, (attempt) => counts.lastAnswer(attempt));
  const answers = new Map<AttemptId, string>();
  for await (const { type, data } of readRunLog(home, run)) {
    if (type !== "message") continue;
    for (const attempt of waiting.get(data.hash) ?? []) answers.set(attempt, textOf(data.message.content));
  }
  return answers;
}

/** Has the command judge one attempt; one that was never answered says nothing of the model. Throws: as `runVerifyCommand`. */
export async function answerVerdict(
  command: VerifyCommand,
  { attempt, input, counts }: { attempt: AttemptId; input: string; counts: RunCounts },
): Promise<Verdict> {
  const verdict = await runVerifyCommand(command, attempt, { input });
  const { turns, failed } = counts.callsOf(attempt);
  return failed === turns ? { ...verdict, flags: [...verdict.flags, "environment-suspect"] } : verdict;
}

export interface AnswerVerdicts {
  verdicts: GivenVerdict[];
  /** Attempts that the command could not judge, with why. */
  left: { attempt: string; reason: string }[];
  /** How many a check had judged already. */
  judged: number;
}

export interface AnswerOptions {
  home: Home;
  run: RunId;
  verify: VerifyCommand;
  onProgress?(done: number, total: number): void;
}

/** Runs the command for each attempt of a sealed run that no check judged until now; those not reached before a stop are left. */
export async function verdictsOnAnswers({ home, run, verify, onProgress }: AnswerOptions): Promise<AnswerVerdicts> {
  const counts = await countsOf(home, run);
  const settled = await withLake(home, (lake) => judgedAttempts(lake, run));
  const attempts = counts.attempts().filter((attempt) => !settled.has(attempt));
  const answers = await lastAnswers(home, { run, counts, attempts });
  const result: AnswerVerdicts = { verdicts: [], left: [], judged: counts.attempts().length - attempts.length };
  for (const [done, attempt] of attempts.entries()) {
    const { item, n } = attemptParts(attempt);
    try {
      const verdict = await answerVerdict(verify, { attempt, input: answers.get(attempt) ?? "", counts });
      result.verdicts.push({ item, attempt: n, verdict });
    } catch (error) {
      if (!(error instanceof Failure && error.boundary === "verifier")) throw error;
      const reason = verify.signal.aborted ? "it was not reached before the stop" : error.message;
      result.left.push({ attempt: attempt.slice(run.length + 1), reason });
    }
    onProgress?.(done + 1, attempts.length);
  }
  return result;
}

/** Attempts of which a check says something that holds, in the log or the ledger. */
async function judgedAttempts(lake: Lake, run: RunId): Promise<Set<string>> {
  const sql = `SELECT attempt FROM attempts
    WHERE run = $run AND eval_passed IS NOT NULL AND signal_type IN ('binary', 'graded')`;
  return new Set((await lake.query(sql, { run })).map(({ attempt }) => String(attempt)));
}
