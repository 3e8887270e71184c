/**
 * Which of many good examples are kept: no exact duplicate, and at most so many of one item. Works on keys and counts
 * only, so that texts never pile up in memory; the result does not depend on the order of its input.
 */
import type { TurnId } from "../records/ids.ts";
import type { Part } from "../records/selection.ts";

/** What is remembered of an example that passed the filters. */
export interface Pick {
  turn: TurnId;
  part: Part;
  item: string;
  run: string;
  attemptNumber: number;
  turnNumber: number;
  completionTokens: number | null;
  /** Hash of the tip-free prompt and the normalised answer. */
  exampleKey: string;
  /** Hash of the normalised answer. */
  answerKey: string;
}

export interface Picked {
  kept: Pick[];
  refused: Pick[];
}

/** Keeps the best of the examples that have the same prompt and answer. */
export function dropDuplicates(picks: readonly Pick[]): Picked {
  return keepFirst([...picks].sort(byWorth), (pick) => pick.exampleKey, 1);
}

/**
 * Keeps at most `maxPerItem` examples of one item over all runs: first the best of each different answer, then the
 * best of what is left.
 */
export function capPerItem(picks: readonly Pick[], maxPerItem: number): Picked {
  const sorted = [...picks].sort(byWorth);
  const { kept, refused } = keepFirst(sorted, (pick) => `${pick.answerKey} ${pick.item}`, 1);
  return keepFirst([...kept, ...refused], (pick) => pick.item, maxPerItem);
}

/** Best first: validation before train (a held-out copy must win), fewest completion tokens, earliest. */
function byWorth(x: Pick, y: Pick): number {
  return (
    Number(x.part === "train") - Number(y.part === "train") ||
    (x.completionTokens ?? Number.POSITIVE_INFINITY) - (y.completionTokens ?? Number.POSITIVE_INFINITY) ||
    byText(x.run, y.run) ||
    x.attemptNumber - y.attemptNumber ||
    x.turnNumber - y.turnNumber ||
    byText(x.turn, y.turn)
  );
}

function byText(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}

function keepFirst(picks: readonly Pick[], keyOf: (pick: Pick) => string, limit: number): Picked {
  const seen = new Map<string, number>();
  const kept: Pick[] = [];
  const refused: Pick[] = [];
  for (const pick of picks) {
    const key = keyOf(pick);
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    (count < limit ? kept : refused).push(pick);
  }
  return { kept, refused };
}
