/**
 * From the scores of two arms to what the gate judges, text by text: how much likelier, in nats a token, the candidate finds the text;
 * or, in nats a question, the right answer among those that stand beside it.
 */
import { groupBy } from "../../foundation/group-by.ts";
import { sumOf } from "../../foundation/sums.ts";
import type { PerWhat } from "../../records/gate.ts";
import { pairedDifference } from "../../statistics/paired-difference.ts";
import type { GeneralText } from "../general-set.ts";
import type { TextScore } from "./measure.ts";

type Scores = ReadonlyMap<string, TextScore>;

/** One axis of general ability; `missing` texts were scored by one arm or by none. */
export interface GeneralEvidence {
  name: string;
  /** What a nat of the differences is of. */
  per: PerWhat;
  differences: number[][];
  /** Against the base, where the reference is another model. */
  toBase?: number[][];
  missing: number;
}

/**
 * Differences of the deciding texts that both arms scored, with all that stand beside them; null where there is none.
 * Units: nats a token or a question, candidate minus base.
 */
export function generalEvidence(
  { name, texts }: { name: string; texts: readonly GeneralText[] },
  base: Scores,
  candidate: Scores,
): GeneralEvidence | null {
  const deciding = texts.filter(({ isDeciding }) => isDeciding);
  const pairs = deciding.flatMap((text) => {
    const [one, other] = [logLikelihood(text, base), logLikelihood(text, candidate)];
    return one === null || other === null ? [] : [{ group: text.group, difference: other - one }];
  });
  if (pairs.length === 0) return null;
  const groups = groupBy(pairs, ({ group }) => group);
  return {
    name,
    per: perWhat(texts),
    differences: [...groups.values()].map((group) => group.map((pair) => pair.difference)),
    missing: deciding.length - pairs.length,
  };
}

/** How far the candidate lies from the base, as an estimate from text that the base drew. */
export interface Distance {
  /** Nats a token. */
  nats: number;
  /** Null below two texts. */
  standardError: number | null;
  texts: number;
  tokens: number;
}

/**
 * Estimates KL(base || candidate) from answers that the base drew at temperature 1: the mean, over their tokens, of how much
 * likelier each was to the base than to the candidate. Null without texts. It is unbiased, so it may come out below 0.
 * Source: the direct Monte Carlo estimate of a divergence; standard error of a ratio of means over texts (Cochran 1977,
 * Sampling Techniques, section 6.3).
 */
export function distanceFrom(base: Scores, candidate: Scores): Distance | null {
  const pairs = [...base].flatMap(([id, one]) => {
    const other = candidate.get(id);
    return other === undefined ? [] : [{ tokens: one.tokens, nats: one.logprob - other.logprob }];
  });
  const tokens = sumOf(pairs, (pair) => pair.tokens);
  if (tokens === 0) return null;
  const nats = sumOf(pairs, (pair) => pair.nats) / tokens;
  const residuals = pairs.map((pair) => [((pair.nats - nats * pair.tokens) * pairs.length) / tokens]);
  return { nats, standardError: pairedDifference(residuals).standardError, texts: pairs.length, tokens };
}

/** Says what a nat of a set's differences is of: its deciding texts are all of one kind. */
export function perWhat(texts: readonly GeneralText[]): PerWhat {
  return texts.some(({ isDeciding, rivals }) => isDeciding && rivals !== undefined) ? "question" : "token";
}

/**
 * Of a text alone the mean of its tokens; beside others the logarithm of its share among all of them, each weighed by its mean token.
 * A mean, as the sum makes a short answer likelier than a long one whatever they say. Null where one was not scored.
 */
function logLikelihood({ id, rivals = [] }: GeneralText, scores: Scores): number | null {
  const means = [id, ...rivals].flatMap((one) => {
    const score = scores.get(one);
    return score === undefined ? [] : [score.logprob / score.tokens];
  });
  const [own] = means;
  if (own === undefined || means.length <= rivals.length) return null;
  if (rivals.length === 0) return own;
  const most = Math.max(...means);
  return own - most - Math.log(sumOf(means, (mean) => Math.exp(mean - most)));
}
