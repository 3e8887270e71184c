/**
 * What is remembered of each example that was put aside, until all have been seen: numbers alone, some 40 bytes an
 * example, as there may be hundreds of thousands. Follows the same rules as `pick.ts`, in which examples of one item
 * are objects.
 */
import { hashText } from "../foundation/hashing.ts";
import { numberList } from "../foundation/number-list.ts";
import type { SpillPlace } from "./example-spill.ts";
import type { Pick } from "./pick.ts";

export interface PickTable {
  add(pick: Pick, place: SpillPlace): void;
  isTrain(row: number): boolean;
  placeOf(row: number): SpillPlace;
  /** Keeps the best of the rows that have the same prompt and answer, in no order. */
  distinct(): { kept: Uint32Array; refused: Uint32Array };
  /** Sorts rows in an order that only the seed and the turns' names decide, so that a first part is a fair sample. */
  shuffled(rows: Uint32Array): Uint32Array;
}

const DIGITS = 13; // as many as a number holds exactly
const NOT_COUNTED = 2 ** 32 - 1;

/** Makes an empty table. The seed is that of the order. */
export function pickTable(seed: number): PickTable {
  const keys = [numberList("float64"), numberList("float64")] as const; // 104 bits: no two of any number are the same
  const ranks = numberList("float64");
  const trains = numberList("uint32");
  const tokens = numberList("uint32");
  const startBytes = numberList("float64");
  const sizesBytes = numberList("uint32");
  const byKey = (x: number, y: number) => keys[0].at(x) - keys[0].at(y) || keys[1].at(x) - keys[1].at(y);
  const byWorth = (x: number, y: number) => trains.at(x) - trains.at(y) || tokens.at(x) - tokens.at(y);
  return {
    add({ turn, part, completionTokens, exampleKey }, { startByte, sizeBytes }) {
      for (const [i, key] of keys.entries()) key.push(digits(exampleKey, i));
      ranks.push(digits(hashText(`${seed}:${turn}`), 0));
      trains.push(Number(part === "train"));
      tokens.push(completionTokens ?? NOT_COUNTED);
      startBytes.push(startByte);
      sizesBytes.push(sizeBytes);
    },
    isTrain: (row) => trains.at(row) === 1,
    placeOf: (row) => ({ startByte: startBytes.at(row), sizeBytes: sizesBytes.at(row) }),
    distinct() {
      const sorted = Uint32Array.from({ length: ranks.length }, (_, row) => row);
      sorted.sort((x, y) => byKey(x, y) || byWorth(x, y) || x - y);
      const isFirst = (row: number, i: number) => i === 0 || byKey(row, sorted[i - 1] as number) !== 0;
      return { kept: sorted.filter(isFirst), refused: sorted.filter((row, i) => !isFirst(row, i)) };
    },
    shuffled: (rows) => rows.toSorted((x, y) => ranks.at(x) - ranks.at(y) || x - y),
  };
}

function digits(hash: string, n: number): number {
  return Number.parseInt(hash.slice(n * DIGITS, (n + 1) * DIGITS), 16);
}
