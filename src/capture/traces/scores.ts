/**
 * Scores that another program's evaluators and people gave, as verdicts: only a truth value or a number from 0 to 1 can
 * be one. A score says what it measures by its name alone, so that of the few names of faults that everybody uses the
 * complement is taken; all others are taken as given, more being better.
 */
import type { Json } from "../../foundation/canonical-json.ts";
import { isDeterministic } from "../../records/verdict.ts";
import { type ForeignPlace, type ForeignVerdict, foreignVerdict, type Rejected } from "../foreign.ts";
import { rejected } from "../reading/json.ts";

export interface GivenScore {
  name: string;
  value: number | boolean | null;
  label: string | null;
  explanation: string | null;
  /** Code is trusted; a person's is a behavior; all else is an opinion. */
  judge: "code" | "model" | "person" | "unknown";
  /** Whatever else is known of it. */
  about: Record<string, Json>;
}

const FAULTS = new Set(["hallucination", "hallucinations", "toxicity", "bias", "harmfulness"]);
const PASSED = new Set(["pass", "passed", "true", "correct", "success"]);
const FAILED = new Set(["fail", "failed", "false", "incorrect", "failure"]);

/** Why a score is no verdict, or the verdict. */
export type ReadScore = { verdict: ForeignVerdict["verdict"] } | { reason: string };

export interface PlacedScore {
  /** The file, the place in it, and the score's name. */
  where: string;
  atMs: number | null;
  /** How much it is said of: more for a trace than for a step. */
  scope: number;
  read: ReadScore;
}

/**
 * The scores of a trace as verdicts, those of the widest scope last, as of code's the last one decides. Where code's scores of one
 * scope disagree under different names, nobody knows which of them decides: they are flagged.
 */
export function* scoreRecords(
  scores: readonly PlacedScore[],
  place: ForeignPlace,
): Generator<ForeignVerdict | Rejected> {
  const split = new Set([...new Set(scores.map(({ scope }) => scope))].filter((scope) => isSplit(scores, scope)));
  for (const { where, atMs, scope, read } of scores.toSorted((x, y) => x.scope - y.scope)) {
    if ("reason" in read) yield rejected(where, read.reason);
    else {
      const isInConflict = split.has(scope) && isOfCode(read);
      const flags = [...read.verdict.flags, ...(isInConflict ? ["conflict" as const] : [])];
      const at = atMs === null ? {} : { at: new Date(atMs) };
      yield { kind: "verdict", ...place, ...at, verdict: { ...read.verdict, flags } };
    }
  }
}

/** Of each name the last one counts. */
function isSplit(scores: readonly PlacedScore[], scope: number): boolean {
  const ofCode = scores.flatMap((score) => (score.scope === scope && isOfCode(score.read) ? [score.read] : []));
  const lastByName = new Map(ofCode.map(({ verdict: { verifier, passed } }) => [verifier.id, passed]));
  return new Set(lastByName.values()).size > 1;
}

function isOfCode(read: ReadScore): read is Extract<ReadScore, { verdict: unknown }> {
  return "verdict" in read && isDeterministic(read.verdict);
}

/** Reads a score. */
export function scoreVerdict(score: GivenScore): ReadScore {
  const { name, label, explanation, judge, about } = score;
  const passed = labelled(label);
  const given = typeof score.value === "boolean" ? Number(score.value) : score.value;
  const value = given ?? (passed === null ? null : Number(passed));
  if (name === "") return { reason: "a score has no name" };
  if (value === null) return { reason: `a score has neither a number nor a label that says passed or failed` };
  if (!(value >= 0 && value <= 1)) return { reason: `a score lies outside of 0 to 1, where a verdict's value lies` };
  const isFault = FAULTS.has(name.toLowerCase());
  const evidence = {
    ...{ score: score.value, ...(label !== null && { label }), ...(explanation !== null && { explanation }) },
    ...(isFault && { isFault }),
    ...about,
  };
  const verdict = foreignVerdict({
    ...{ value: isFault ? complement(value) : value, verifier: { id: name, version: "unknown" }, evidence },
    ...(passed !== null && !isFault && { passed }),
    ...(judge === "person" && { signalType: "behavioral" as const }),
    isJudgment: judge === "model" || judge === "unknown",
  });
  return { verdict };
}

function complement(value: number): number {
  return Number((1 - value).toFixed(12));
}

function labelled(label: string | null): boolean | null {
  const word = label?.trim().toLowerCase() ?? "";
  return PASSED.has(word) ? true : FAILED.has(word) ? false : null;
}
