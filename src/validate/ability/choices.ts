/**
 * Questions with four options as texts to be scored, of which the right one decides by how likely it is among the four, and which option
 * a model finds likeliest. Either the option's own words
 * are scored, after the question alone, or its letter, after the question with all options: small models do not yet know
 * what a letter stands for, and some questions cannot be asked without their options.
 */
import { counted } from "../../foundation/counted.ts";
import { meanOrNull, sumOf } from "../../foundation/sums.ts";
import type { GeneralText } from "../general-set.ts";
import type { ArmMeasure, Shown, TextScore } from "./measure.ts";

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

/** The four texts of each question, of which the right one decides, among them. */
export function choiceTexts(questions: readonly Question[], form: ChoiceForm): GeneralText[] {
  return questions.flatMap((one) =>
    LETTERS.map((letter) => ({
      id: textId(one, letter),
      group: one.subject,
      context: [{ role: "user" as const, content: form === "words" ? one.question : withOptions(one) }],
      opening: "Answer:",
      continuation: ` ${form === "words" ? one.options[letter] : letter}`,
      ...(letter === one.answer
        ? { isDeciding: true, rivals: LETTERS.filter((other) => other !== letter).map((other) => textId(one, other)) }
        : { isDeciding: false }),
    })),
  );
}

/**
 * What is shown of each arm: how often it finds the right option the likeliest, a token; how likely the right one is
 * among the four by all its tokens; and how likely it is by itself, which tells of the manner of answering too.
 */
export function choiceFigures(
  questions: readonly Question[],
  { base, candidate }: { base: ArmMeasure; candidate: ArmMeasure },
): Shown[] {
  const figure = (name: string, of: (question: Question, scores: Scores) => number | null, byChance = ""): Shown => {
    const [one, other] = [base, candidate].map((arm) =>
      questions.flatMap((question) => of(question, arm.scores) ?? []),
    );
    const note = `of ${counted(one?.length ?? 0, "question")}${byChance}`;
    return { name, base: meanOrNull(one ?? []), candidate: meanOrNull(other ?? []), note };
  };
  return [
    figure("accuracy", isRight, BY_CHANCE),
    figure("probability of the right option", probabilityOfRight, BY_CHANCE),
    figure("nats a token of the right option", natsOfRight),
  ];
}

const BY_CHANCE = "; 0.25 by chance";

type Scores = ReadonlyMap<string, TextScore>;

/** The scores of a question's options; null where one was not scored. */
function optionScores(question: Question, scores: Scores): { letter: Letter; score: TextScore }[] | null {
  const found = LETTERS.flatMap((letter) => {
    const score = scores.get(textId(question, letter));
    return score === undefined ? [] : [{ letter, score }];
  });
  return found.length === LETTERS.length ? found : null;
}

/** 1 or 0; a tie is not right. */
function isRight(question: Question, scores: Scores): number | null {
  const options = optionScores(question, scores);
  if (options === null) return null;
  const rates = options.map(({ letter, score }) => ({ letter, rate: score.logprob / score.tokens }));
  const right = rates.find(({ letter }) => letter === question.answer)?.rate ?? 0;
  return rates.every(({ letter, rate }) => letter === question.answer || rate < right) ? 1 : 0;
}

function probabilityOfRight(question: Question, scores: Scores): number | null {
  const options = optionScores(question, scores);
  if (options === null) return null;
  const most = Math.max(...options.map(({ score }) => score.logprob));
  const weights = options.map(({ letter, score }) => ({ letter, weight: Math.exp(score.logprob - most) }));
  const right = weights.find(({ letter }) => letter === question.answer)?.weight ?? 0;
  return right / sumOf(weights, ({ weight }) => weight);
}

function natsOfRight(question: Question, scores: Scores): number | null {
  const score = scores.get(textId(question, question.answer));
  return score === undefined ? null : score.logprob / score.tokens;
}

function textId({ subject, number }: Question, letter: Letter): string {
  return `${subject}/${number}/${letter}`;
}

function withOptions({ question, options }: Question): string {
  return [question, ...LETTERS.map((letter) => `${letter}. ${options[letter]}`)].join("\n");
}
