/**
 * Questions with four options as texts to be scored, and which option a model finds likeliest. Either the option's own words
 * are scored, after the question alone, or its letter, after the question with all options: small models do not yet know
 * what a letter stands for, and some questions cannot be asked without their options.
 */
import type { ArmMeasure, GeneralText, Shown } from "../general-set.ts";
import type { TextScore } from "./measure.ts";

export const LETTERS = ["A", "B", "C", "D"] as const;
export type Letter = (typeof LETTERS)[number];

export interface Question {
  subject: string;
  /** In its subject, from 1. */
  number: number;
  question: string;
  options: Record<Letter, string>;
  answer: Letter;
}

export type ChoiceForm = "words" | "letter";

/** The four texts of each question, of which the right one decides. */
export function choiceTexts(questions: readonly Question[], form: ChoiceForm): GeneralText[] {
  return questions.flatMap((one) =>
    LETTERS.map((letter) => ({
      id: textId(one, letter),
      group: one.subject,
      context: [{ role: "user" as const, content: form === "words" ? one.question : withOptions(one) }],
      opening: "Answer:",
      continuation: ` ${form === "words" ? one.options[letter] : letter}`,
      isDeciding: letter === one.answer,
    })),
  );
}

/** How often each arm finds the right option the likeliest, a token. */
export function accuracies(
  questions: readonly Question[],
  { base, candidate }: { base: ArmMeasure; candidate: ArmMeasure },
): Shown {
  const of = (arm: ArmMeasure) => questions.map((one) => isRight(one, arm.scores)).filter((right) => right !== null);
  const [one, other] = [of(base), of(candidate)];
  const share = (right: boolean[]) => (right.length === 0 ? null : right.filter(Boolean).length / right.length);
  return {
    name: "accuracy",
    base: share(one),
    candidate: share(other),
    note: `of ${one.length} questions; 0.25 by chance`,
  };
}

/** Null where an option was not scored; a tie is not right. */
function isRight(question: Question, scores: ReadonlyMap<string, TextScore>): boolean | null {
  const rates = LETTERS.map((letter) => ({ letter, score: scores.get(textId(question, letter)) }));
  if (rates.some(({ score }) => score === undefined)) return null;
  const rateOf = (score: TextScore | undefined) => (score === undefined ? 0 : score.logprob / score.tokens);
  const right = rateOf(scores.get(textId(question, question.answer)));
  return rates.every(({ letter, score }) => letter === question.answer || rateOf(score) < right);
}

function textId({ subject, number }: Question, letter: Letter): string {
  return `${subject}/${number}/${letter}`;
}

function withOptions({ question, options }: Question): string {
  return [question, ...LETTERS.map((letter) => `${letter}. ${options[letter]}`)].join("\n");
}
