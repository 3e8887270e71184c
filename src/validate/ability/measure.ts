/**
 * What a model was measured by: scores, answers, and the figures that are shown of them.
 */

/** Units: natural logarithm, summed over the tokens of a continuation. */
export interface TextScore {
  logprob: number;
  tokens: number;
}

export interface Answer {
  text: string;
  /** Whether it ended at the limit, not by itself. */
  isCut: boolean;
}

export interface Missing {
  id: string;
  reason: string;
}

/** One figure of each arm, shown beside; null where it cannot be told, with the reason in `note`. */
export interface Shown {
  name: string;
  base: number | null;
  candidate: number | null;
  note: string;
}

/** What one arm made of a set, by id. */
export interface ArmMeasure {
  scores: ReadonlyMap<string, TextScore>;
  answers: ReadonlyMap<string, Answer>;
}
