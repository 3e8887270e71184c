/**
 * Words for what a model was measured by.
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
