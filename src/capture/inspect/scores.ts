/**
 * Inspect's scores as verdicts. Letters stand for numbers as Inspect itself reads them; a score that a model gave is a
 * judgment, one that was edited afterwards is a person's.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import type { Verdict } from "../../records/verdict.ts";
import { type ForeignVerdict, foreignVerdict } from "../foreign.ts";
import { isObject, type JsonObject, objectsIn } from "../reading/shapes.ts";

export interface ScoreSetting {
  /** Of the package that scored. */
  version: string;
  /** Scorers that called a model; an empty name where it is not known which one did. */
  judges: ReadonlySet<string>;
  flags: Verdict["flags"];
}

export type ReadScore = { verdict: ForeignVerdict["verdict"] } | { reason: string };

const LETTERS: Readonly<Record<string, number>> = { C: 1, I: 0, P: 0.5, N: 0 };
const WORDS: Readonly<Record<string, number>> = { yes: 1, true: 1, no: 0, false: 0 };
const JUDGE = /model_graded|llm|judge/i;

/**
 * The verdicts of a sample's scores, the first scorer's last: of several the latest decides, and Inspect leads with the
 * first. A score without a value (Inspect's `unscored`) is none.
 */
export function* scoresOf(scores: Json | undefined, setting: ScoreSetting): Generator<ReadScore> {
  if (!isObject(scores)) return;
  for (const [scorer, score] of Object.entries(scores).reverse()) {
    if (!isObject(score)) {
      yield { reason: `the score ${shown(scorer)} is no object` };
      continue;
    }
    const named: [string, Json | undefined][] = isObject(score.value)
      ? Object.entries(score.value).map(([key, value]) => [`${scorer}.${key}`, value])
      : [[scorer, score.value]];
    for (const [name, value] of named.reverse()) {
      if (value !== null && value !== undefined) yield scoreOf(name, value, { ...setting, scorer, score });
    }
  }
}

function scoreOf(name: string, given: Json, about: ScoreSetting & { scorer: string; score: JsonObject }): ReadScore {
  const { version, flags, score } = about;
  const value = fractionOf(given);
  if (value === null) return { reason: `the score ${shown(name)} is neither C, I, P, N nor a number from 0 to 1` };
  const { value: _, ...said } = score;
  return {
    verdict: foreignVerdict({
      ...{ value, verifier: { id: name === "" ? "score" : name, version }, flags },
      ...{ evidence: { value: given, ...said }, isJudgment: isJudge(about.scorer, about) },
      ...(isEdited(score) && { signalType: "behavioral" as const }),
    }),
  };
}

/** As Inspect's own `value_to_float`; null where that gives no number from 0 to 1. */
function fractionOf(value: Json): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = typeof value === "string" ? numberOf(value) : value;
  return typeof number === "number" && number >= 0 && number <= 1 ? number : null;
}

function numberOf(text: string): number | null {
  if (Object.hasOwn(LETTERS, text)) return LETTERS[text] as number;
  const word = text.toLowerCase();
  if (Object.hasOwn(WORDS, word)) return WORDS[word] as number;
  return text.trim() === "" ? null : Number(text);
}

function isJudge(scorer: string, { judges }: ScoreSetting): boolean {
  return JUDGE.test(scorer) || judges.has("") || judges.has(plainName(scorer));
}

/** A scorer's name without its package, and without the number that a second one of the name bears. */
export function plainName(scorer: string): string {
  return scorer.replace(/^.*\//s, "").replace(/\d+$/, "");
}

function isEdited({ history }: JsonObject): boolean {
  return isObject(objectsIn(history).at(-1)?.provenance);
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100).toWellFormed());
}
