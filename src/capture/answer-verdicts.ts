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
import { type RunSummary, readRunLog } from "../store/runs.ts";
import { textOf } from "./conversations.ts";
import { countsOf, type GivenVerdict } from "./late-verdicts.ts";
import { openRunCounts, type RunCounts } from "./run-counts.ts";
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
  return counts.lastAnswer(attempt) === null
    ? { ...verdict, flags: [...verdict.flags, "environment-suspect"] }
    : verdict;
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
  run: RunSummary;
  verify: VerifyCommand;
  onProgress?(done: number, total: number): void;
}

/** Whether the calls of a run were recorded, so that its attempts can be judged by what they were answered last. */
export function hasRecordedCalls({ command, source }: Pick<RunSummary, "command" | "source">): boolean {
  return command === "record" || command === "agent" || isJoined({ source });
}

function isJoined({ source }: Pick<RunSummary, "source">): boolean {
  return source?.facts.recorded !== undefined;
}

/**
 * Runs the command for each attempt of a sealed run that no check judged until now; those not reached before a stop are left. In a
 * joined run what the worker said last is judged: where it did not take part nothing is, and what the log cut is left.
 */
export async function verdictsOnAnswers({
  home,
  run: summary,
  verify,
  onProgress,
}: AnswerOptions): Promise<AnswerVerdicts> {
  const { run } = summary;
  const { counts, all, cut } = isJoined(summary) ? await workersPart(home, run) : await wholeRun(home, run);
  const settled = await withLake(home, (lake) => judgedAttempts(lake, run));
  const attempts = all.filter((attempt) => !settled.has(attempt));
  const answers = await lastAnswers(home, { run, counts, attempts });
  const result: AnswerVerdicts = { verdicts: [], left: [], judged: all.length - attempts.length };
  const leave = (attempt: AttemptId, reason: string) =>
    result.left.push({ attempt: attempt.slice(run.length + 1), reason });
  for (const [done, attempt] of attempts.entries()) {
    const { item, n } = attemptParts(attempt);
    try {
      if (cut.has(attempt)) leave(attempt, "its last answer is not known whole");
      else {
        const verdict = await answerVerdict(verify, { attempt, input: answers.get(attempt) ?? "", counts });
        result.verdicts.push({ item, attempt: n, verdict });
      }
    } catch (error) {
      if (!(error instanceof Failure && error.boundary === "verifier")) throw error;
      leave(attempt, verify.signal.aborted ? "it was not reached before the stop" : error.message);
    }
    onProgress?.(done + 1, attempts.length);
  }
  return result;
}

interface AnsweredAttempts {
  counts: RunCounts;
  all: AttemptId[];
  /** Those whose last answer is not known whole. */
  cut: ReadonlySet<AttemptId>;
}

async function wholeRun(home: Home, run: RunId): Promise<AnsweredAttempts> {
  const counts = await countsOf(home, run);
  return { counts, all: counts.attempts(), cut: new Set() };
}

async function workersPart(home: Home, run: RunId): Promise<AnsweredAttempts> {
  const counts = openRunCounts(run);
  const cut = new Set<AttemptId>();
  for await (const event of readRunLog(home, run)) {
    if (event.type !== "turn" || event.data.role !== "worker") continue;
    const { attempt, missing = [] } = event.data;
    counts.take(event);
    if (missing.includes("answer")) cut.add(attempt);
    else cut.delete(attempt);
  }
  return { counts, all: counts.attempts(), cut };
}

/** Attempts of which a check says something that holds, in the log or the ledger. */
async function judgedAttempts(lake: Lake, run: RunId): Promise<Set<string>> {
  const sql = `SELECT attempt FROM attempts
    WHERE run = $run AND eval_passed IS NOT NULL AND signal_type IN ('binary', 'graded')`;
  return new Set((await lake.query(sql, { run })).map(({ attempt }) => String(attempt)));
}
