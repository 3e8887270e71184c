/**
 * A whole attempt as one row: its prompt is what stood before the first answer of its own; from there on every answer of
 * its own is trained on, but for the steps that failed, which stay as context. Which answers are its own is told by
 * their turns, not by their role: worked examples in a prompt are other attempts' answers.
 */
import { groupBy } from "../foundation/group-by.ts";
import type { Message } from "../records/message.ts";
import { answerOf, headOf, originOf, plainText, promptOf, rowKey } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import { capped, withoutCopies, withoutNearCopies } from "./distinct.ts";
import { FAILED_COMMAND, ranIntoError, wentWrong } from "./step-flags.ts";
import type { ItemWork, TierRow } from "./tier.ts";
import { tried } from "./tries.ts";

/** Makes a row of the last turn of each attempt; the earlier ones are in it. */
export function wholeAttempts(sound: readonly Candidate[], work: ItemWork): TierRow[] {
  const attempts = groupBy(sound, ({ attempt }) => attempt);
  const turnsOf = ({ attempt }: Candidate) => attempts.get(attempt) ?? [];
  const whole: ItemWork = {
    settings: work.settings,
    refuse(reason, last, kept) {
      for (const turn of turnsOf(last)) work.refuse(reason, turn, kept);
    },
  };
  const lasts = [...attempts.values()].flatMap((turns) => turns.at(-1) ?? []);
  return capped(withoutNearCopies(withoutCopies(tried(lasts, whole), whole), whole), whole).map((last) => {
    return rowOf(last, { turns: turnsOf(last), settings: work.settings });
  });
}

function rowOf(last: Candidate, { turns, settings }: { turns: Candidate[]; settings: ItemWork["settings"] }): TierRow {
  const own = new Map(turns.slice(0, -1).map((turn) => [textOf(turn.response), turn]));
  const messages = promptOf(last, settings);
  const stepOf = (message: Message) => (message.role === "assistant" ? own.get(textOf(message)) : undefined);
  const first = messages.findIndex((message) => stepOf(message) !== undefined);
  const prompt = first < 0 ? messages : messages.slice(0, first);
  const steps = first < 0 ? [] : messages.slice(first);
  const answer = answerOf(last, settings);
  const row = {
    kind: "answer" as const,
    ...headOf(last, settings),
    prompt,
    completion: [...steps, answer],
    earlier: turns.slice(0, -1).map(originOf),
    trained: [...steps.map((message) => isGoodStep(stepOf(message), settings)), true],
    ...originOf(last),
  };
  return { row, of: [last, ...turns.slice(0, -1)], key: rowKey(last, answer) };
}

function isGoodStep(step: Candidate | undefined, { gatesOff }: ItemWork["settings"]): boolean {
  if (step === undefined || wentWrong(step).length > 0 || step.finishReason === "length") return false;
  return !ranIntoError(step) || gatesOff.includes(FAILED_COMMAND);
}

function textOf(message: Message | null): string {
  return message === null ? "" : plainText(message);
}
