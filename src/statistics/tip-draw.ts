/**
 * One attempt in which a tip was retrieved, as the statistics of tip credit see it: was the tip shown, by which
 * chance, and how did the attempt end? Knows neither runs nor prompts.
 */
export interface TipDraw {
  item: string;
  /** Attempts at the item within its run, from 1. */
  attemptNumber: number;
  /** False where the draw left the tip out. A tip without room in the prompt is not drawn, and makes no `TipDraw`. */
  isShown: boolean;
  /** Probability that the draw leaves the tip out, known before the draw; 0 where nothing was drawn. */
  dropProbability: number;
  /** How the attempt ended, a fraction in [0, 1]. */
  outcome: number;
}

/** Tells whether chance alone decided if the tip was shown. */
export function isRandomised({ dropProbability }: TipDraw): boolean {
  return dropProbability > 0 && dropProbability < 1;
}
