/**
 * Has a command of the user's own judge the attempts of a recorded run when the run is about to be sealed: before, any of
 * them may go on. An attempt that a check judged already is left alone; one that goes on while it is judged is judged again.
 */
import pLimit from "p-limit";
import { Failure, Refusal } from "../foundation/errors.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Home } from "../store/home.ts";
import { answerVerdict, lastAnswers } from "./answer-verdicts.ts";
import type { NotVerified, RecordedRun } from "./recorded-run.ts";
import { recordFailure } from "./recorded-turn.ts";
import { NOT_STARTED, type VerifyCommand } from "./verify-command.ts";

export interface AttemptVerifier {
  /**
   * Judges what no check judged, and resolves when all of the run is judged; what goes wrong is recorded, and told. While a call
   * waits for its answer the run is not over: it then resolves early.
   * Throws: why the command's signal was aborted; where it `mustStart`, `VERIFIER_NOT_STARTED` before anything is recorded.
   */
  finish(run: RecordedRun, options?: { mustStart: boolean }): Promise<NotVerified | null>;
}

interface Question {
  attempt: AttemptId;
  /** Of the attempt when this was asked. */
  turns: number;
  input: string;
}

const AT_ONCE = 2;

/** Makes a verifier that asks a command of the user's own about the attempts of this home's recorded runs. */
export function openVerifier(command: VerifyCommand, home: Home): AttemptVerifier {
  const limit = pLimit(AT_ONCE);

  /** What it says of an attempt that went on beyond these turns is dropped. Returns why it said nothing. */
  async function judge({ book, append }: RecordedRun, { attempt, turns, input }: Question): Promise<Failure | null> {
    if (command.signal.aborted) return null;
    try {
      const verdict = await answerVerdict(command, { attempt, input, counts: book });
      if (book.turnsOf(attempt) === turns && !book.isJudged(attempt))
        append({ type: "verdict", data: { attempt, verdict } });
      return null;
    } catch (error) {
      if (!(error instanceof Failure && error.boundary === "verifier")) throw error;
      return command.signal.aborted ? null : error;
    }
  }

  return {
    async finish(run, { mustStart } = { mustStart: false }) {
      const { book } = run;
      /** With the turns that each had then. */
      const asked = new Map<AttemptId, number>();
      const failures = new Map<AttemptId, string>();
      const left = () => book.attempts().filter((one) => !book.isJudged(one) && asked.get(one) !== book.turnsOf(one));
      const judgeOne = async (question: Question) => {
        const { attempt, turns } = question;
        asked.set(attempt, turns);
        const failure = await judge(run, question);
        if (mustStart && asked.size === 1 && failure?.code === NOT_STARTED) throw notStarted(command, failure);
        failures.delete(attempt);
        if (failure === null) return;
        failures.set(attempt, failure.message);
        recordFailure(run, attempt, failure);
      };
      for (let waiting = left(); waiting.length > 0 && run.openCalls === 0; waiting = left()) {
        const turns = new Map(waiting.map((one) => [one, book.turnsOf(one)]));
        const answers = await lastAnswers(home, { run: run.log.run, counts: book, attempts: waiting });
        const questions = waiting.map((attempt): Question => {
          return { attempt, turns: turns.get(attempt) ?? 0, input: answers.get(attempt) ?? "" };
        });
        const first = mustStart && asked.size === 0 ? questions.shift() : undefined;
        if (first !== undefined) await judgeOne(first);
        await Promise.all(questions.map((one) => limit(judgeOne, one)));
      }
      command.signal.throwIfAborted();
      const [reason] = failures.values();
      return reason === undefined ? null : { attempts: failures.size, reason };
    },
  };
}

function notStarted({ command }: VerifyCommand, { message, code }: Failure): Refusal {
  return new Refusal({
    code,
    message: `${message} The run stays as it is.`,
    expected: `a command that the shell finds from ${process.cwd()}`,
    got: command,
    fix: "name it by its whole path, and see that it may be run (chmod +x)",
  });
}
