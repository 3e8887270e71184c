/**
 * Has a command of the user's own judge the attempts of a recorded run, each once, when it is over: when another attempt at
 * its item begins, or when the run is about to be sealed. An attempt that someone judged already is left alone.
 */
import pLimit from "p-limit";
import { Failure } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/run-log.ts";
import { textOf } from "./conversations.ts";
import type { RecordedRun } from "./recorded-run.ts";
import { recordFailure } from "./recorded-turn.ts";
import { runVerifyCommand, type VerifyCommand } from "./verify-command.ts";
import type { GivenAnswer } from "./wire/index.ts";

export interface AttemptVerifier {
  /** Keeps what the command may want to see: the attempt's last answer. */
  noteAnswer(attempt: AttemptId, answer: GivenAnswer): void;
  /** Reads those answers from the log of a run that an earlier process recorded. */
  recall(run: RecordedRun): Promise<void>;
  /** Begins to verify an attempt that is over; what goes wrong is recorded. */
  begin(run: RecordedRun, attempt: AttemptId): void;
  /** Verifies what nobody judged, and resolves when all of the run is judged. Throws: why the command's signal was aborted. */
  finish(run: RecordedRun): Promise<void>;
}

const AT_ONCE = 2;

export function openVerifier(command: VerifyCommand, home: Home): AttemptVerifier {
  const limit = pLimit(AT_ONCE);
  const answers = new Map<AttemptId, string>();
  const running = new Map<AttemptId, Promise<void>>();

  async function verify(run: RecordedRun, attempt: AttemptId): Promise<void> {
    const input = answers.get(attempt) ?? "";
    answers.delete(attempt);
    try {
      const verdict = await runVerifyCommand(command, attempt, { input });
      const { turns, failed } = run.book.callsOf(attempt);
      if (failed === turns) verdict.flags.push("environment-suspect");
      if (!run.book.isJudged(attempt)) run.append({ type: "verdict", data: { attempt, verdict } });
    } catch (error) {
      if (!(error instanceof Failure && error.boundary === "verifier")) throw error;
      if (!command.signal.aborted) recordFailure(run, attempt, error);
    }
  }

  function begin(run: RecordedRun, attempt: AttemptId): void {
    if (run.book.isJudged(attempt) || running.has(attempt)) return;
    running.set(attempt, limit(verify, run, attempt));
    // Whoever waits for the run sees it; until then nobody does.
    running.get(attempt)?.catch(() => {});
  }

  return {
    begin,
    noteAnswer: (attempt, { message }) => answers.set(attempt, textOf(message.content)),
    async recall({ log, book }) {
      const unjudged = book.attempts().filter((attempt) => !book.isJudged(attempt));
      const waiting = groupBy(unjudged, (attempt) => book.lastAnswer(attempt));
      for await (const { type, data } of readRunLog(home, log.run)) {
        if (type !== "message") continue;
        for (const attempt of waiting.get(data.hash) ?? []) answers.set(attempt, textOf(data.message.content));
      }
    },
    async finish(run) {
      const asked = new Set<AttemptId>();
      // Others may begin meanwhile; while one waits for its answer the run is not over, and the caller sees that.
      for (let left = run.book.attempts(); left.length > 0 && run.openCalls === 0; ) {
        for (const attempt of left) begin(run, attempt);
        for (const attempt of left) {
          await running.get(attempt);
          running.delete(attempt);
          answers.delete(attempt);
          asked.add(attempt);
        }
        left = run.book.attempts().filter((attempt) => !asked.has(attempt));
      }
      command.signal.throwIfAborted();
    },
  };
}
