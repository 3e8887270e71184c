/**
 * Has a command of the user's own judge the attempts of a recorded run when the run is about to be sealed: before, any of
 * them may go on. An attempt that a check judged already is left alone; one that goes on while it is judged is judged again.
 */
import pLimit from "p-limit";
import { Failure } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/runs.ts";
import { textOf } from "./conversations.ts";
import type { RecordedRun } from "./recorded-run.ts";
import { recordFailure } from "./recorded-turn.ts";
import { runVerifyCommand, type VerifyCommand } from "./verify-command.ts";

export interface AttemptVerifier {
  /**
   * Judges what no check judged, and resolves when all of the run is judged; what goes wrong is recorded. While a call waits for its
   * answer the run is not over: it then resolves early. Throws: why the command's signal was aborted.
   */
  finish(run: RecordedRun): Promise<void>;
}

const AT_ONCE = 2;

export function openVerifier(command: VerifyCommand, home: Home): AttemptVerifier {
  const limit = pLimit(AT_ONCE);

  /** What it says of an attempt that went on beyond these turns is dropped. */
  async function judge(run: RecordedRun, attempt: AttemptId, at: { turns: number; input: string }): Promise<void> {
    const { book } = run;
    if (command.signal.aborted) return;
    try {
      const verdict = await runVerifyCommand(command, attempt, { input: at.input });
      const { turns, failed } = book.callsOf(attempt);
      if (failed === turns) verdict.flags.push("environment-suspect");
      if (turns === at.turns && !book.isJudged(attempt)) run.append({ type: "verdict", data: { attempt, verdict } });
    } catch (error) {
      if (!(error instanceof Failure && error.boundary === "verifier")) throw error;
      if (!command.signal.aborted) recordFailure(run, attempt, error);
    }
  }

  return {
    async finish(run) {
      const { book } = run;
      /** With the turns that each had then. */
      const asked = new Map<AttemptId, number>();
      const left = () => book.attempts().filter((one) => !book.isJudged(one) && asked.get(one) !== book.turnsOf(one));
      for (let waiting = left(); waiting.length > 0 && run.openCalls === 0; waiting = left()) {
        for (const one of waiting) asked.set(one, book.turnsOf(one));
        const answers = await lastAnswers(home, run, waiting);
        const at = (one: AttemptId) => ({ turns: asked.get(one) ?? 0, input: answers.get(one) ?? "" });
        await Promise.all(waiting.map((one) => limit(judge, run, one, at(one))));
      }
      command.signal.throwIfAborted();
    },
  };
}

/** What each attempt was answered last, as the run's log has it; none where it was not answered. */
async function lastAnswers(
  home: Home,
  { log, book }: RecordedRun,
  attempts: readonly AttemptId[],
): Promise<Map<AttemptId, string>> {
  const waiting = groupBy(attempts, (attempt) => book.lastAnswer(attempt));
  const answers = new Map<AttemptId, string>();
  for await (const { type, data } of readRunLog(home, log.run)) {
    if (type !== "message") continue;
    for (const attempt of waiting.get(data.hash) ?? []) answers.set(attempt, textOf(data.message.content));
  }
  return answers;
}
