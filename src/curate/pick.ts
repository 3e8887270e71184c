/**
 * Which of many good examples are kept: no exact duplicate, and at most so many of one item. Works on keys and counts
 * alone. Examples come earliest first, and of equally good ones the earlier is kept.
 */
import type { TurnId } from "../records/ids.ts";
import type { Part } from "../records/selection.ts";

/** What decides between examples that passed the filters. */
export interface Pick {
  turn: TurnId;
  part: Part;
  completionTokens: number | null;
  /** Hash of the tip-free prompt and the normalised answer. */
  exampleKey: string;
}

export interface Picked<T> {
  kept: T[];
  refused: T[];
}

/** Keeps the best of the examples that have the same prompt and answer. */
export function dropDuplicates<T extends Pick>(picks: readonly T[]): Picked<T> {
  const sorted = [...picks].sort((x, y) => byText(x.exampleKey, y.exampleKey) || byWorth(x, y));
  return split(sorted, (pick, i) => pick.exampleKey !== sorted[i - 1]?.exampleKey);
}

/**
 * Keeps at most `limit` examples of one item: first the best of each different answer, then the best of what is left.
 * `answerKey` is a hash of the normalised answer.
 */
export function capItem<T extends Pick & { answerKey: string }>(picks: readonly T[], limit: number): Picked<T> {
  const sorted = [...picks].sort(byWorth);
  const answers = new Set<string>();
  const { kept, refused } = split(sorted, ({ answerKey }) => {
    const isNew = !answers.has(answerKey);
    answers.add(answerKey);
    return isNew;
  });
  return split([...kept, ...refused], (_, i) => i < limit);
}

/** Best first: validation before train (a held-out copy must win), then fewest completion tokens. */
function byWorth(x: Pick, y: Pick): number {
  return (
    Number(x.part === "train") - Number(y.part === "train") ||
    (x.completionTokens ?? Number.MAX_SAFE_INTEGER) - (y.completionTokens ?? Number.MAX_SAFE_INTEGER)
  );
}

function byText(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}

function split<T>(picks: readonly T[], isKept: (pick: T, i: number) => boolean): Picked<T> {
  const kept: T[] = [];
  const refused: T[] = [];
  for (const [i, pick] of picks.entries()) (isKept(pick, i) ? kept : refused).push(pick);
  return { kept, refused };
}
