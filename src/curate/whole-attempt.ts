/**
 * A whole attempt as one row: its prompt is what stood before the first answer of its own; from there on every answer of
 * its own is trained on, but for the steps that failed, which stay as context. Which answers are its own is told by
 * where their turns' prompts end, not by their role or their words: worked examples in a prompt are other attempts'
 * answers, and an agent says the same again where it tests, mends and tests again.
 */
import { groupBy } from "../foundation/group-by.ts";
import type { Message } from "../records/message.ts";
import type { AnswerRow } from "../records/selection.ts";
import { answerOf, headOf, originOf, plainText, promptOf, rowKey } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import { capped, withoutCopies, withoutNearCopies } from "./distinct.ts";
import { FAILED_COMMAND, ranIntoError, wentWrong } from "./step-flags.ts";
import type { ItemWork, TierRow } from "./tier.ts";
import { tried } from "./tries.ts";

/**
 * Makes a row of the last turn of each attempt; the earlier ones are in it. Two attempts say the same where all that is
 * trained on does.
 */
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
  const different = withoutCopies(tried(lasts, whole), whole);
  const rows = new Map(different.map((last) => [last, rowOf(last, turnsOf(last).slice(0, -1), work.settings)]));
  const saidBy = (last: Candidate) => trainedTexts(rows.get(last) as AttemptRow);
  const kept = capped(withoutNearCopies(different, whole, saidBy), whole, saidBy).flatMap(
    (last) => rows.get(last) ?? [],
  );
  for (const { of } of kept)
    for (const turn of turnsOf(of[0])) if (!of.includes(turn)) work.refuse("not-in-last-prompt", turn);
  return kept;
}

interface AttemptRow extends TierRow {
  row: AnswerRow;
}

/** What its steps say and how it closes, each by itself: closing words may be most of what is said. */
function trainedTexts({ row: { completion, trained } }: AttemptRow): string[] {
  const texts = completion.filter((_, i) => trained[i] === true).map(plainText);
  return [texts.slice(0, -1).join("\n"), texts.at(-1) ?? ""];
}

function rowOf(last: Candidate, before: readonly Candidate[], settings: ItemWork["settings"]): AttemptRow {
  const messages = promptOf(last, settings);
  const stepAt = stepsIn(messages, before, settings);
  const first = Math.min(messages.length, ...stepAt.keys());
  const held = new Set(stepAt.values());
  const steps = before.filter((step) => held.has(step));
  const answer = answerOf(last, settings);
  const row = {
    kind: "answer" as const,
    ...headOf(last, settings),
    prompt: messages.slice(0, first),
    completion: [...messages.slice(first), answer],
    earlier: steps.map(originOf),
    trained: [...messages.slice(first).map((_, i) => isGoodStep(stepAt.get(first + i), settings)), true],
    ...originOf(last),
  };
  return { row, of: [last, ...steps], key: rowKey(last, answer) };
}

/** The steps whose answers are in the messages, each by where its own stands; a summary may have taken the others' place. */
function stepsIn(
  messages: readonly Message[],
  steps: readonly Candidate[],
  settings: ItemWork["settings"],
): Map<number, Candidate> {
  const stepAt = new Map<number, Candidate>();
  let end = messages.length;
  for (const step of steps.toReversed()) {
    const place = placeOf(step.response, messages.slice(0, end), promptOf(step, settings));
    if (place < 0) continue;
    stepAt.set(place, step);
    end = place;
  }
  return stepAt;
}

/**
 * Where the answer to a prompt stands: right behind it; else, where the prompt was rewritten since, at the last place
 * that says the same and is no part of it. Below 0 where it is nowhere.
 */
function placeOf(answer: Message | null, messages: readonly Message[], prompt: readonly Message[]): number {
  const isAnswer = (message: Message | undefined) => message !== undefined && saysSame(message, answer);
  if (isAnswer(messages[prompt.length])) return prompt.length;
  const parting = messages.findIndex((message, i) => !saysSame(message, prompt[i]));
  return parting < 0 ? parting : messages.findLastIndex((message, i) => i >= parting && isAnswer(message));
}

function saysSame(one: Message, other: Message | null | undefined): boolean {
  return one === other || (one.role === other?.role && plainText(one) === plainText(other));
}

function isGoodStep(step: Candidate | undefined, { gatesOff }: ItemWork["settings"]): boolean {
  if (step === undefined || wentWrong(step).length > 0 || step.finishReason === "length") return false;
  return !ranIntoError(step) || gatesOff.includes(FAILED_COMMAND);
}
