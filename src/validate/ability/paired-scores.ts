/**
 * From the scores of two arms to what the gate judges: differences in nats a token, text by text.
 */
import { groupBy } from "../../foundation/group-by.ts";
import { sumOf } from "../../foundation/sums.ts";
import { pairedDifference } from "../../statistics/paired-difference.ts";
import type { GeneralText } from "../general-set.ts";
import type { TextScore } from "./measure.ts";

type Scores = ReadonlyMap<string, TextScore>;

/** One axis of general ability; `missing` texts were scored by one arm or by none. */
export interface GeneralEvidence {
  name: string;
  differences: number[][];
  /** Against the base, where the reference is another model. */
  toBase?: number[][];
  missing: number;
}

/**
 * Differences of the deciding texts that both arms scored; null where there is none.
 * Units: nats a token, candidate minus base.
 */
export function generalEvidence(
  { name, texts }: { name: string; texts: readonly GeneralText[] },
  base: Scores,
  candidate: Scores,
): GeneralEvidence | null {
  const deciding = texts.filter(({ isDeciding }) => isDeciding);
  const pairs = deciding.flatMap(({ id, group }) => {
    const [one, other] = [base.get(id), candidate.get(id)];
    return one === undefined || other === undefined ? [] : [{ group, difference: difference(one, other) }];
  });
  if (pairs.length === 0) return null;
  const groups = groupBy(pairs, ({ group }) => group);
  return {
    name,
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

function difference(base: TextScore, candidate: TextScore): number {
  return candidate.logprob / candidate.tokens - base.logprob / base.tokens;
}
